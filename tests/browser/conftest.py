"""What the tests of the Streamlit pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.pages import close_tabs
from tests.browser.serving import SLOWEST_S, browser, streamlit


@pytest.fixture(scope="session")
def plain_window(chromium: Path) -> Iterator[Browser]:
    """Run one browser for all tests that need no camera."""
    expect.set_options(timeout=SLOWEST_S * 1000)
    with browser(chromium) as running:
        yield running


@pytest.fixture
def window(plain_window: Browser) -> Iterator[Browser]:
    """The browser; the tabs of a test are closed after it."""
    yield plain_window
    close_tabs(plain_window)


@pytest.fixture(scope="session")
def quick(root: Path) -> Iterator[str]:
    """A server whose model answers at once."""
    with streamlit(root / "tests" / "browser" / "quick_server.py") as address:
        yield address
