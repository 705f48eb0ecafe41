"""Visits to the Streamlit pages."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import SLOWEST_S


def visit(window: Browser, address: str, **options: object) -> Page:
    """Open ``address`` in a new browser context and return the page once it shows its heading."""
    page = window.new_context(**options).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(SLOWEST_S * 1000)
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    return page


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Upload files, each with its name and bytes."""
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
