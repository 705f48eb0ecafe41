"""Streamlit pages opened without a browser."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def open_page(name: str) -> AppTest:
    """Open one of the app's pages by the name of its module."""

    def page(name: str) -> None:
        from importlib import import_module

        import_module(f"frontends.streamlit_app.views.{name}").page()

    return AppTest.from_function(page, args=(name,), default_timeout=200).run()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Give the page files by name and content."""
    app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files])
    return app.run()
