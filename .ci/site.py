"""Hooks of mkdocs: bring README, model cards and others from outside of docs into the site."""  # noqa: INP001

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
_CARDS = sorted((ROOT / "weights").glob("*.md"))
_SHIM = re.compile(r'"https://unpkg\.com/iframe-worker/[^"]*"')
_RESULTS = sorted((ROOT / "docs" / "results").glob("*.json"))
_FROM_ROOT = {
    "index.md": "README.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "LICENSE": "LICENSE",
}


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside of docs, and lists of the model cards and the result files."""
    pages = {
        f"weights/{path.name}": path.read_text(encoding="utf-8")
        for path in (*_CARDS, *sorted((ROOT / "weights").glob("*.json")))
    }
    for target, source in _FROM_ROOT.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        pages[target] = text.replace("](docs/", "](")
    cards = "".join(f"- [{path.stem}](weights/{path.name})\n" for path in _CARDS)
    pages["cards.md"] = (
        "# Model cards\n\nOne for each weight file, written by the command that measures it, from "
        f"measured results (Mitchell et al. 2019).\n\n{cards}"
    )
    artefacts = "".join(f"- [{path.stem}]({path.name})\n" for path in _RESULTS)
    pages["results/index.md"] = (
        "# Result files\n\nWhat the commands measured, exactly as they wrote it. The "
        f"[report](../report.md#reproducing-each-table) says which command wrote which file."
        f"\n\n{artefacts}"
    )
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Point links that leave docs/, or name a folder, to where the site has those files."""
    up = "../" * page.file.src_uri.count("/")
    markdown = re.sub(r"\]\((?:\.\./)+(weights/|CONTRIBUTING\.md)", rf"]({up}\1", markdown)
    markdown = re.sub(r"\]\((?:\.\./)+README\.md", f"]({up}index.md", markdown)
    return markdown.replace("](results)", "](results/index.md)")


def on_page_content(html: str, **_others: Any) -> str:
    """Drop the Sphinx roles of docstrings, such as `:class:`, which Markdown does not know."""
    return re.sub(r":(?:class|func|meth|data|attr|mod|exc):(?=<code>)", "", html)


def on_post_page(output: str, page: Any, **_others: Any) -> str:
    """Load the script that makes the search work from disk from the site, not from the web."""
    up = "../" * page.file.src_uri.count("/")
    return _SHIM.sub(f'"{up}iframe-worker.js"', output)


def on_post_template(output: str, **_others: Any) -> str:
    """Do the same for the "not found" page, which a server shows at any address."""
    return _SHIM.sub('"/iframe-worker.js"', output)
