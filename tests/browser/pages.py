"""Visits to the Streamlit pages."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.serving import SLOWEST_S

_contexts: WeakKeyDictionary[Browser, dict[str, BrowserContext]] = WeakKeyDictionary()


def open_tab(window: Browser, **options: object) -> Page:
    """Open an empty tab with Playwright's context ``options``.

    Tabs with the same options share a context and so its cache: a new one would fetch and compile
    the scripts of the page again. Each tab still is a visit of its own to the server.
    """
    contexts = _contexts.setdefault(window, {})
    key = repr(sorted(options.items()))
    if key not in contexts:
        contexts[key] = window.new_context(**options)  # type: ignore[arg-type]
    page = contexts[key].new_page()
    page.set_default_timeout(SLOWEST_S * 1000)
    return page


def close_tabs(window: Browser) -> None:
    """Close every tab, so that it takes no time from the tests that follow."""
    for context in window.contexts:
        for page in context.pages:
            page.close()


def visit(window: Browser, address: str, **options: object) -> Page:
    """Open ``address`` in a new tab and return the page once it is complete."""
    page = open_tab(window, **options)
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible()
    return page


def upload(page: Page, *files: tuple[str, bytes]) -> None:
    """Upload files, each with its name and bytes."""
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
