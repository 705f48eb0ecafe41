"""Draw a diagram of the system from the code: its imports, registries and stages."""

from __future__ import annotations

import ast
import html
from collections.abc import Sequence
from pathlib import Path

from core.classifiers import CLASSIFIERS
from core.detectors import DETECTORS
from core.landmarks import LANDMARK_MODELS

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
_WIDTH = 980
_GAP = 14
_FACADE, _WHOLE_CORE = "core", "core.*"


def draw_system_diagram() -> str:
    """Return an SVG: what uses the library, the stages of a photo, and the outputs."""
    drawing = _Drawing()
    users = [name for name in list_packages(ROOT) if name.split(".")[0] != "core"]
    drawing.add_row("uses", [(name, (_describe_imports(name),)) for name in users])
    drawing.add_bar("core: the façade", "read_image · Analyzer · document · annotate · …")
    stages: list[tuple[str, tuple[str, ...]]] = [
        ("read", ("core.reading.reader", "bytes to upright RGB"))
    ]
    for lap in find_stages(ROOT / "core" / "pipeline.py"):
        module, names = _LAPS[lap]
        stages.append((lap, (module, *names())))
    drawing.add_row("a photo passes through", stages, arrows=True)
    outputs = sorted(path.stem for path in (ROOT / "core" / "output").glob("[!_]*.py"))
    drawing.add_row("comes out as", [(name, (f"core.output.{name}",)) for name in outputs])
    return drawing.encode()


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


class _Drawing:
    """Rows of boxes from top to bottom."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._y = 10

    def add_row(
        self, title: str, boxes: Sequence[tuple[str, Sequence[str]]], *, arrows: bool = False
    ) -> None:
        """Draw a row of boxes with a heading and lines of text each."""
        self._draw_text(_GAP, self._y + 14, title, "t")
        self._y += 22
        width = (_WIDTH - _GAP) / len(boxes) - _GAP
        height = 34 + 15 * max(len(lines) for _, lines in boxes)
        for index, (heading, lines) in enumerate(boxes):
            x = _GAP + index * (width + _GAP)
            self._draw_box(x, self._y, width, height, "b")
            self._draw_text(x + 9, self._y + 20, heading, "h")
            for number, line in enumerate(lines):
                style = "m" if line.startswith("core.") else "l"
                self._draw_text(x + 9, self._y + 37 + 15 * number, line, style)
            if arrows and index:
                self._draw_arrow(x - _GAP, self._y + height / 2, x - 1, self._y + height / 2)
        self._y += height
        self._draw_down_arrow()

    def add_bar(self, heading: str, text: str) -> None:
        """Draw one box over the whole width."""
        self._draw_box(_GAP, self._y, _WIDTH - 2 * _GAP, 32, "f")
        self._draw_text(_GAP + 9, self._y + 21, heading, "h")
        self._draw_text(_GAP + 160, self._y + 21, text, "l")
        self._y += 32
        self._draw_down_arrow()

    def encode(self) -> str:
        """Return everything drawn so far as SVG."""
        self._parts.pop()  # the arrow below the last row leads nowhere
        height = self._y - 12
        style = (
            "text{font-family:sans-serif;font-size:12px;fill:#1a1a1a}"
            ".t{font-size:12px;fill:#555}.h{font-weight:bold;font-size:13px}"
            ".m{font-family:monospace;font-size:9.5px;fill:#444}.l{font-size:11.5px}"
            ".b{fill:#eef5fb;stroke:#0072b2}.f{fill:#fdf3e7;stroke:#d55e00}"
            ".a{stroke:#555;stroke-width:1.5;marker-end:url(#e)}"
        )
        arrow = (
            '<marker id="e" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker>'
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" '
            'aria-label="The command line and the web pages call the library; '
            'a photo passes through its stages">'
            f"<style>{style}</style><defs>{arrow}</defs>"
            f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
            f"{''.join(self._parts)}</svg>\n"
        )

    def _draw_down_arrow(self) -> None:
        self._draw_arrow(_WIDTH / 2, self._y, _WIDTH / 2, self._y + 18)
        self._y += 22

    def _draw_arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        ends = f'x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"'
        self._parts.append(f'<line class="a" {ends}/>')

    def _draw_box(self, x: float, y: float, width: float, height: float, style: str) -> None:
        size = f'width="{width:.0f}" height="{height:.0f}"'
        self._parts.append(f'<rect class="{style}" x="{x:.0f}" y="{y:.0f}" {size} rx="5"/>')

    def _draw_text(self, x: float, y: float, text: str, style: str) -> None:
        place = f'x="{x:.0f}" y="{y:.0f}"'
        self._parts.append(f'<text class="{style}" {place}>{html.escape(text)}</text>')
