"""Draw a diagram of the system from the code: its imports, registries and stages."""

from __future__ import annotations

import ast
import html
from pathlib import Path

from core.classifiers import CLASSIFIERS
from core.detectors import DETECTORS
from core.landmarks import LANDMARK_MODELS

from .rendering import render_text

ROOT = Path(__file__).resolve().parents[2]
_LAPS = {
    "detect": ("core.detectors", DETECTORS.names),
    "landmarks": ("core.landmarks", LANDMARK_MODELS.names),
    "align": ("core.faces.alignment", lambda: ("FER-2013's frame",)),
    "quality": ("core.faces.quality", lambda: ("reasons for doubt",)),
    "classify": ("core.classifiers", CLASSIFIERS.names),
}
"""The module of each stage that the pipeline times, and the names that can be chosen for it, in the
order in which a photo passes through them."""
_FACADE, _WHOLE_CORE = "core", "core.*"


def draw_system_diagram() -> str:
    """Return an SVG: what uses the library, the stages of a photo, and the outputs."""
    users = [name for name in list_packages(ROOT) if name.split(".")[0] != "core"]
    stages: list[tuple[str, tuple[str, ...]]] = [
        ("read", ("core.reading.reader", "bytes to upright RGB"))
    ]
    for lap in find_stages(ROOT / "core" / "pipeline.py"):
        module, names = _LAPS[lap]
        stages.append((lap, (module, *names())))
    outputs = sorted(path.stem for path in (ROOT / "core" / "output").glob("[!_]*.py"))
    rows = [
        ("uses", [(name, (_describe_imports(name),)) for name in users], False),
        ("", ("core: the façade", "read_image · Analyzer · document · annotate · …"), False),
        ("a photo passes through", stages, True),
        ("comes out as", [(name, (f"core.output.{name}",)) for name in outputs], False),
    ]
    return render_text("system.svg.j2", rows=rows, escape=html.escape)


def list_packages(root: Path) -> list[str]:
    """Return the library and the packages that use it; each front is a package of its own."""
    found = sorted(path.parent.name for path in root.glob("*/__init__.py"))
    inner = sorted(path.parent.name for path in (root / "frontends").glob("*/__init__.py"))
    names = [name for name in found if name in {"cli", "core", "training"}]
    return [*names, *(f"frontends.{name}" for name in inner)]


def find_stages(pipeline: Path) -> list[str]:
    """Return the stages that the pipeline times, in the order in which they run."""
    called = {
        ast.literal_eval(node.args[0])
        for node in ast.walk(ast.parse(pipeline.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "lap"
        and isinstance(node.args[0], ast.Constant)
    }
    unknown = called - _LAPS.keys()
    if unknown:
        raise KeyError(f"The diagram does not know the stages {unknown}.")
    return [lap for lap in _LAPS if lap in called]


def find_imports(package: Path) -> set[str]:
    """Return what the modules of a package import from core and training, by absolute name."""
    found: set[str] = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in {"core", "training"}}


def _describe_imports(name: str) -> str:
    found = find_imports(ROOT / Path(*name.split(".")))
    own = name.partition(".")[0]
    reaches = {_FACADE if each == "core" else _WHOLE_CORE for each in found if each[:4] == "core"}
    if any(each.startswith("training") for each in found) and own != "training":
        reaches.add("training")
    # All of core includes its façade.
    shown = reaches - {_FACADE} if _WHOLE_CORE in reaches else reaches
    return f"imports {', '.join(sorted(shown))}"
