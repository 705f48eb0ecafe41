"""What the documentation site takes from outside of docs: model cards, lists of artefacts."""  # noqa: INP001

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_CARDS = sorted((ROOT / "weights").glob("*.md"))
_SHIM = re.compile(r'"https://unpkg\.com/iframe-worker/[^"]*"')
_RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))


def on_files(files: Files, config: Any) -> Files:
    """Add each model card and the manifest beside them, and lists of cards and artefacts."""
    pages = {
        f"weights/{path.name}": path.read_text(encoding="utf-8")
        for path in (*_CARDS, ROOT / "weights" / "manifest.json")
    }
    cards = "".join(f"- [{path.stem}](weights/{path.name})\n" for path in _CARDS)
    pages["cards.md"] = (
        "# Model cards\n\nOne for each weight file, written by `emotion evaluate --record` from "
        f"what was measured (Mitchell et al. 2019).\n\n{cards}"
    )
    artefacts = "".join(f"- [{path.stem}]({path.name})\n" for path in _RESULTS)
    pages["results/index.md"] = (
        "# Artefacts\n\nWhat the commands measured, as they wrote it; the "
        f"[report](../report.md#reproducing-each-table) names them.\n\n{artefacts}"
    )
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Let links that leave docs/, or name a folder, lead to where the site has those files."""
    up = "../" * page.file.src_uri.count("/")
    markdown = re.sub(r"\]\((?:\.\./)+weights/", f"]({up}weights/", markdown)
    return markdown.replace("](results)", "](results/index.md)")


def on_page_content(html: str, **_others: Any) -> str:
    """Docstrings name classes and functions by roles, which Markdown does not know."""
    return re.sub(r":(?:class|func|meth|data|attr|mod|exc):(?=<code>)", "", html)


def on_post_page(output: str, page: Any, **_others: Any) -> str:
    """What lets the search work from disk comes along instead of from another computer."""
    up = "../" * page.file.src_uri.count("/")
    return _SHIM.sub(f'"{up}iframe-worker.js"', output)


def on_post_template(output: str, **_others: Any) -> str:
    """As :func:`on_post_page`, for the page of a wrong address, which a server shows anywhere."""
    return _SHIM.sub('"/iframe-worker.js"', output)
