"""The window itself, in a process of its own: `python -m cli.window_process ADDRESS`.

The libraries that draw web pages end their process if something is missing. The command that
started this one outlives that, says why and stops the server.

A line on standard input brings the window to the front; its end closes the window.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

_TITLE = "Photo Emotion"
_SIZE_WH = 1280, 900
_MIN_SIZE_WH = 360, 560


def show_with_qt(address: str) -> None:
    """Show ``address`` with Qt until the window is closed."""
    core = import_module("PyQt6.QtCore")
    widgets = import_module("PyQt6.QtWidgets")
    gui = import_module("PyQt6.QtGui")
    views = import_module("PyQt6.QtWebEngineWidgets")
    engine = import_module("PyQt6.QtWebEngineCore")

    application = widgets.QApplication(sys.argv[:1])
    application.setApplicationDisplayName(_TITLE)
    profile = engine.QWebEngineProfile()  # without a name: nothing is kept on disk
    view = views.QWebEngineView()
    page = engine.QWebEnginePage(profile, view)

    def save_download(download: Any) -> None:
        folder = core.QStandardPaths.writableLocation(
            core.QStandardPaths.StandardLocation.DownloadLocation
        )
        wish = str(Path(folder) / download.downloadFileName())
        chosen, _ = widgets.QFileDialog.getSaveFileName(view, "Save", wish)
        if not chosen:
            download.cancel()
            return
        download.setDownloadDirectory(str(Path(chosen).parent))
        download.setDownloadFileName(Path(chosen).name)
        download.accept()

    def ask_permission(permission: Any) -> None:
        cameras = {
            engine.QWebEnginePermission.PermissionType.MediaVideoCapture,
            engine.QWebEnginePermission.PermissionType.MediaAudioVideoCapture,
        }
        yes = widgets.QMessageBox.StandardButton.Yes
        if permission.permissionType() in cameras and yes == widgets.QMessageBox.question(
            view, _TITLE, "Let this page use the camera? No picture leaves this computer."
        ):
            permission.grant()
        else:
            permission.deny()

    def bring_to_front() -> None:
        view.setWindowState(view.windowState() & ~core.Qt.WindowState.WindowMinimized)
        view.raise_()
        view.activateWindow()

    class Messages(core.QObject):  # type: ignore[misc, name-defined]
        """Carries messages from the thread that reads them to that of the window."""

        front = core.pyqtSignal()
        end = core.pyqtSignal()

    messages = Messages()
    messages.front.connect(bring_to_front)
    messages.end.connect(application.quit)
    profile.downloadRequested.connect(save_download)
    page.permissionRequested.connect(ask_permission)
    # Links to other sites belong in the browser.
    page.newWindowRequested.connect(
        lambda request: gui.QDesktopServices.openUrl(request.requestedUrl())
    )
    page.windowCloseRequested.connect(view.close)
    view.setPage(page)
    view.setWindowTitle(_TITLE)
    view.resize(*_SIZE_WH)
    view.setMinimumSize(*_MIN_SIZE_WH)
    view.load(core.QUrl(address))
    view.show()
    _read_messages(messages.front.emit, messages.end.emit)
    application.exec()
    # In this order, or Qt complains of a page without its profile.
    view.setPage(None)
    page.deleteLater()


def show_with_system(address: str) -> None:
    """Show ``address`` with the web view of macOS or Windows until the window is closed."""
    webview = import_module("webview")
    # Without this the buttons that save a file would do nothing.
    webview.settings["ALLOW_DOWNLOADS"] = True
    width, height = _SIZE_WH
    window = webview.create_window(
        _TITLE, address, width=width, height=height, min_size=_MIN_SIZE_WH
    )

    def bring_to_front() -> None:
        window.restore()
        window.show()

    _read_messages(bring_to_front, window.destroy)
    webview.start()


def _read_messages(bring_to_front: Callable[[], None], end: Callable[[], None]) -> None:
    def read() -> None:
        for _ in sys.stdin:
            bring_to_front()
        end()

    Thread(target=read, daemon=True).start()


if __name__ == "__main__":
    (show_with_qt if sys.platform == "linux" else show_with_system)(sys.argv[1])
