"""The check of what the app's own window needs from the system."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec

from .findings import Finding, Status
from .system import find_package_manager, install_command, loads

WINDOW_LIBRARIES: Mapping[str, str] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXcomposite.so.1": "libxcomposite1",
    "libXdamage.so.1": "libxdamage1",
    "libXrandr.so.2": "libxrandr2",
    "libXtst.so.6": "libxtst6",
    # Its own package has another name in newer releases; this one brings it in all.
    "libasound.so.2": "libasound2-dev",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libgbm.so.1": "libgbm1",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libnss3.so": "libnss3",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-dri3.so.0": "libxcb-dri3-0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbfile.so.1": "libxkbfile1",
}
"""Shared libraries that Qt's web view needs and its wheels lack, each with its Debian package."""


def check_window_libraries(
    *,
    installed: Callable[[], bool] = lambda: find_spec("PyQt6") is not None,
    loads: Callable[[str], bool] = loads,
    system: str = sys.platform,
    manager: str | None = None,
) -> Iterator[Finding]:
    """Yield what the window lacks, or that it lacks nothing.

    Nothing where its packages are not installed, or the system brings its own web view.
    """
    if system != "linux" or not installed():
        return
    missing = [soname for soname in WINDOW_LIBRARIES if not loads(soname)]
    if not missing:
        yield Finding("window", Status.OK, "The libraries of the app's own window are there.")
        return
    manager = find_package_manager() if manager is None else manager
    packages = tuple(WINDOW_LIBRARIES[soname] for soname in missing)
    on_debian = manager == "apt-get"
    yield Finding(
        "window",
        Status.WARNING,
        f"The app's own window cannot open without {', '.join(missing)}; the browser can.",
        install_command(manager, " ".join(packages))
        if on_debian
        else "Install the packages of your system that have these libraries.",
        packages if on_debian else (),
    )
