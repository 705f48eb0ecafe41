"""What the tests of the Streamlit pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.serving import SLOWEST_S, browser, streamlit


@pytest.fixture(scope="module")
def window(chromium: Path) -> Iterator[Browser]:
    """The browser; each test opens a visit of its own in it."""
    expect.set_options(timeout=SLOWEST_S * 1000)
    with browser(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def quick(root: Path) -> Iterator[str]:
    """A server whose model answers at once."""
    with streamlit(root / "tests" / "browser" / "quick_server.py") as address:
        yield address
