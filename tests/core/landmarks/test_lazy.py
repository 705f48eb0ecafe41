"""Imports that are put off."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.landmarks.lazy import put_off


def shown(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.fixture
def package(root, tmp_path):
    """A module that says when it is loaded; the program's begin in its folder."""
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "__init__.py").touch()
    text = "print('loaded')\nvalue = 'used'\n"
    (tmp_path / "outer" / "inner.py").write_text(text, encoding="utf-8")
    start = (
        f"import sys; sys.path.insert(0, {str(root)!r}); sys.path.insert(0, {str(tmp_path)!r})\n"
        "from core.landmarks.lazy import put_off; put_off('outer.inner')\n"
    )
    return lambda code: shown(start + code, tmp_path)


@pytest.mark.parametrize(
    "use",
    [
        "import outer.inner as inner; print('imported', inner.value)",
        "import outer; print('imported'); print(outer.inner.value)",
        "from outer import inner; print('imported'); print(inner.value)",
    ],
)
def test_module_is_loaded_when_it_is_used_and_not_before(package, use):
    assert sorted(package(use)) == ["imported", "loaded", "used"]
    assert package("import outer.inner; print('imported')") == ["imported"]


def test_loaded_and_absent_modules_are_left_alone():
    before = sys.modules["subprocess"]
    put_off("subprocess")
    put_off("no_such.module")
    put_off("subprocess_of_nobody")
    assert sys.modules["subprocess"] is before
    assert "subprocess_of_nobody" not in sys.modules


def test_face_mesh_does_not_load_pyplot_and_leaves_it_usable(root):
    code = (
        "import sys\n"
        "from core.landmarks.face_mesh import _make_mesh\n"
        "_make_mesh()\n"
        "print('matplotlib.axes._axes' in sys.modules)\n"
        "import matplotlib; matplotlib.use('agg')\n"
        "import matplotlib.pyplot as plt\n"
        "print(len(plt.figure().axes))\n"
    )
    assert shown(code, root) == ["False", "0"]
