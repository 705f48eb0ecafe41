"""The documents say what was measured, their links and examples work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import core
from cli.main import COMMANDS, app
from core import (
    TARGET_ACCURACY,
    Analyzer,
    AnalyzerConfig,
    ProjectError,
    Reading,
    RgbImage,
    model_catalog,
)
from core.classifiers import CLASSIFIERS
from core.detectors import DETECTORS
from core.faces.quality import WITHHELD_IF_COVERED
from core.landmarks import LANDMARK_MODELS
from core.weights import SHIPPED_DIR, read_check
from tests.fakes import picture
from training.benchmark.tables import format_benchmark_tables
from training.covered.publish import format_check_card, format_covered_tables
from training.detector.table import format_detectors_table, format_sweep_table, format_turned_table
from training.reporting.comparison import (
    build_comparison_rows,
    build_pair_rows,
    format_comparison_table,
)
from training.reporting.evaluation import Evaluation


@pytest.fixture(scope="module")
def trained():
    """Return the shipped models."""
    try:
        return [info for info in model_catalog() if info.trained]
    except ProjectError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")


def marked_part(page, name):
    """Return the text between ``<!-- name -->`` and ``<!-- /name -->`` on a page."""
    text = page.read_text(encoding="utf-8")
    return text.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def read_results(root, name):
    return json.loads((root / "docs" / "results" / name).read_text(encoding="utf-8"))


def test_readme_helps_to_choose_with_the_recorded_figures(root, trained):
    rows = [
        "| model | agrees with most people, of 100 faces | time for one face | file size |",
        "|---|---|---|---|",
    ]
    for info in trained:
        agreement = 100 * info.metrics["validation"]["people"]["agreement"]
        time_ms = info.speed["engines"]["openvino"]["ms_per_face"]
        rows.append(
            f"| {info.name} | {agreement:.0f} | {time_ms:.0f} ms | {info.megabytes:.0f} MB |",
        )
    assert marked_part(root / "README.md", "choose") == "".join(f"{row}\n" for row in rows)


def test_readme_says_how_often_the_default_disagrees_with_most_people(root):
    metrics = read_results(root, "metrics_publictest.json")
    people = metrics["models"]["mobilenet_v2"]["people"]
    text = " ".join((root / "README.md").read_text(encoding="utf-8").split())
    wrong = f"on about {100 * (1 - people['agreement']):.0f} of 100 test faces it does not say what"
    assert wrong in text
    assert f"These are {people['n']:,} faces" in text
    natural = read_results(root, "photos_natural.json")["models"]["mobilenet_v2"]["people"]
    wrong = f"on about {100 * (1 - natural['accuracy_of_found']):.0f} of 100 news portraits"
    assert wrong in text
    answers = (root / "docs" / "faq.md").read_text(encoding="utf-8")
    right = f"{100 * natural['certain_accuracy']:.0f} of 100 sure answers"
    assert right in answers
    # "Only the ensemble is measurably better", here and on the page about the models.
    better = [
        pair["second"]
        for pair in metrics["pairs"]
        if pair["first"] == "mobilenet_v2" and pair["people"]["agreement"]["interval"][1] < 0
    ]
    assert better == ["ensemble"]


def test_models_page_compares_the_models_as_the_command_does(root, trained):
    assert marked_part(root / "docs" / "models.md", "models") == format_comparison_table(trained)


def test_models_page_names_the_accuracy_that_certain_answers_were_calibrated_for(root):
    text = " ".join((root / "docs" / "models.md").read_text(encoding="utf-8").split())
    assert f"at least {10 * TARGET_ACCURACY[Reading.PEOPLE]:.0f} of 10 such answers" in text
    assert f"at least {10 * TARGET_ACCURACY[Reading.FER2013]:.0f} of 10 are the label" in text


@pytest.mark.parametrize("page", ["docs/models.md", "frontends/ethics.md"])
def test_emotions_said_to_be_missed_most_are_missed_most(root, page):
    metrics = read_results(root, "metrics_publictest.json")["models"]["mobilenet_v2"]
    classes = metrics["people"]["per_class"]
    worst = sorted(classes, key=lambda name: classes[name]["recall"])[:2]
    assert set(worst) == {"disgust", "fear"}, f"{page}: {worst}"
    text = (root / page).read_text(encoding="utf-8")
    assert re.search(r"misses\s+fear\s+and\s+disgust\s+most", text)


def test_every_model_card_compares_the_models(root, trained):
    for info in trained:
        card = root / "weights" / f"{info.name}.md"
        if info.name != "ensemble":
            assert format_comparison_table(trained) in card.read_text(encoding="utf-8"), card.name


def test_evaluate_prints_what_the_models_page_shows_of_the_same_metrics(root, monkeypatch):
    from training.reporting.evaluation import replace_recorded

    document = read_results(root, "metrics_publictest.json")
    models = replace_recorded(document, SHIPPED_DIR)
    rows, pairs = build_comparison_rows(models), build_pair_rows(models)
    evaluation = Evaluation(document["models"], rows, pairs, (), ())
    monkeypatch.setattr(
        "training.reporting.evaluation.evaluate_models", lambda *_args, **_options: evaluation
    )
    command = "evaluate --model all --data faces.zip --split validation --out out"
    result = CliRunner().invoke(app, command.split(), env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    printed = result.stdout
    shown = {" ".join(line.split()).removeprefix("On validation ") for line in printed.splitlines()}
    faces = f"faces {document['models']['mobilenet_v2']['n']:,} "
    shown = {line for line in shown if line and not line.startswith((faces, "Everything is in "))}
    block = marked_part(root / "docs" / "models.md", "models")
    lines = {" ".join(line.replace("|", " ").split()) for line in block.splitlines()}
    assert shown == {line for line in lines if line.strip("- ")}


DETECTOR_RESULTS = (
    "hybrid",
    "hybrid_fast",
    "mtcnn_thorough",
    "mtcnn",
    "compact",
    "compact_precision",
)
"""The columns of the table that compares the detectors."""


def test_detectors_are_compared_as_they_were_measured(root):
    page, results = root / "docs" / "detection.md", root / "docs" / "results"
    files = [results / f"detector_{name}.json" for name in DETECTOR_RESULTS]
    assert marked_part(page, "detectors") == format_detectors_table(files)
    lines = []
    for name in ("hybrid", "compact", "compact_precision"):
        metrics = read_results(root, f"detector_{name}.json")
        against = metrics["against"]
        low, high = against["f1_difference_interval"]
        lines.append(
            f"| {metrics['detector']}, {metrics['threshold_is']} | {against['detector']} | "
            f"{against['times_as_fast']:.1f} | "
            f"{against['f1_difference']:+.3f} ({low:+.3f} to {high:+.3f}) | "
            f"{metrics['false_alarms_per_100_negatives']:.1f}, "
            f"{against['false_alarms_per_100_negatives']:.1f} |\n"
        )
    assert marked_part(page, "against") == (
        "| detector | against | times as fast | difference in F1 | "
        "false alarms per 100 of each |\n|---|---|---|---|---|\n" + "".join(lines)
    )


def test_turned_photos_are_shown_as_they_were_measured(root):
    table = format_turned_table(read_results(root, "turned.json"))
    assert marked_part(root / "docs" / "detection.md", "turned") == table


def test_covered_faces_are_shown_as_they_were_measured_with_the_shipped_check(root):
    report = read_results(root, "covered.json")
    assert marked_part(root / "docs" / "covered.md", "covered") == format_covered_tables(report)
    stored = read_check("covered")
    assert report["sha256"] == stored.sha256
    card = (root / "weights" / "covered.md").read_text(encoding="utf-8")
    assert card == format_check_card(SHIPPED_DIR, report)


def test_parts_whose_certain_answers_are_too_often_wrong_are_those_that_are_withheld(root):
    rows = read_results(root, "covered.json")["answers"]["rows"][1:]
    target = TARGET_ACCURACY[Reading.PEOPLE]
    worse = {row["part"] for row in rows if row["certain_accuracy"] < target}
    assert worse == set(map(str, WITHHELD_IF_COVERED))


def test_sweep_of_mtcnns_settings_is_shown_as_it_was_measured(root):
    tuned = json.loads((root / "weights" / "detection.json").read_text(encoding="utf-8"))
    table = marked_part(root / "docs" / "detection.md", "sweep")
    assert table == format_sweep_table(tuned["mtcnn_sweep"])


def test_speed_is_shown_as_it_was_measured(root):
    table = marked_part(root / "docs" / "performance.md", "bench")
    assert table == format_benchmark_tables(read_results(root, "bench.json"))


def test_ethics_page_holds_the_short_form_that_the_fronts_show(root):
    page = (root / "docs" / "ethics.md").read_text(encoding="utf-8")
    short = (root / "frontends" / "ethics.md").read_text(encoding="utf-8")
    assert short.strip() in page


def test_every_test_that_a_document_names_exists(root):
    texts = {path: path.read_text(encoding="utf-8") for path in (root / "tests").rglob("test_*.py")}
    files = {path.name for path in texts}
    tests = {name for text in texts.values() for name in re.findall(r"def (test_\w+)\(", text)}
    in_files = set()
    for page in sorted((root / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"`(test_\w+)`", text)) <= tests, page
        assert set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", text)) <= files, page
        in_files |= set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text))
    assert in_files
    for file, test in sorted(in_files):
        assert f"def {test}(" in texts[root / file], f"{file}::{test}"


def test_guide_to_batch_runs_explains_every_column(root):
    from core.output.table import COLUMNS

    table = marked_part(root / "docs" / "batch.md", "columns")
    rows = "".join(
        f"| `{column.name}` | {column.type} | {column.meaning} |\n" for column in COLUMNS
    )
    assert table == f"| column | kind | meaning |\n|---|---|---|\n{rows}"


def pages(root):
    first = [root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    cards = sorted((root / "weights").glob("*.md"))
    return [*first, *cards, *sorted((root / "docs").rglob("*.md"))]


def anchors(text):
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in headings}


def test_every_link_has_a_target(root):
    for page in pages(root):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"https?://", link):
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), f"{page.relative_to(root)}: {link}"
            if anchor:
                assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page}: {link}"


def test_every_command_is_documented(root):
    text = (root / "docs" / "guide" / "command-line.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`emotion {name}`" in text, name


@pytest.fixture
def own_registries(monkeypatch):
    """Undo after the test what an example registers."""
    for registry in (DETECTORS, LANDMARK_MODELS, CLASSIFIERS):
        monkeypatch.setattr(registry, "_factories", dict(registry._factories))


def test_examples_of_the_developer_guide_run(root, own_registries):
    guide = (root / "docs" / "guide" / "developers.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    made = {}
    for block in blocks:
        exec(compile(block, "docs/guide/developers.md", "exec"), made)
    image = RgbImage(picture(made["Emotion"].HAPPY))
    analyzer = Analyzer.from_config(
        AnalyzerConfig(detector="whole_picture", landmarks="usual_places", model="most_frequent")
    )
    analysis = analyzer.analyze(image)
    (face,) = analysis.faces
    assert (face.face.box.width, face.face.box.height) == (image.width, image.height)
    assert face.face.landmarks.points.shape == (5, 2)
    assert face.emotions.top == "happy"
    assert "| 1 | happy |" in made["to_markdown"](analysis)


def test_examples_of_the_python_guide_run(root, trained, monkeypatch):
    monkeypatch.chdir(root)
    guide = (root / "docs" / "guide" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    assert blocks
    made = {}
    for block in blocks:
        exec(compile(block, "docs/guide/python.md", "exec"), made)
    assert json.loads(made["text"])["faces"]
    assert made["table"].count("\n") == 1 + len(made["analysis"].faces)
    assert made["marked"] != made["anonymous"]
    photo = root / "docs" / "images" / "astronaut.jpg"
    with TestClient(made["app"]) as client:
        reply = client.post("/faces", files={"photo": (photo.name, photo.read_bytes())})
    assert json.loads(reply.json()) == json.loads(made["text"])


def test_python_example_of_the_readme_prints_what_is_shown(root, trained, monkeypatch, capsys):
    monkeypatch.chdir(root)
    readme = (root / "README.md").read_text(encoding="utf-8")
    example = r"```python\n(from pathlib.*?)```\n\n```\n(.*?)```"
    code, output = re.search(example, readme, flags=re.DOTALL).groups()
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == output


def find_documented_names(page):
    """Yield the names that a page of the API reference documents."""
    for place, members in re.findall(r"^::: (\S+)(?:\n {4}.*?members: \[(.*?)\].*)?", page, re.M):
        try:
            module, names = import_module(place), members.split(", ")
        except ModuleNotFoundError:
            home, _, last = place.rpartition(".")
            module, names = import_module(home), [last]
        inside = vars(module)
        if not names[0]:
            names = [name for name in inside if getattr(inside[name], "__module__", "") == place]
        assert set(names) <= set(inside), place
        yield from names


def test_reference_documents_everything_public(root):
    folder = root / "docs" / "reference"
    pages = [(folder / name).read_text(encoding="utf-8") for name in ("api.md", "extending.md")]
    documented = {name for page in pages for name in find_documented_names(page)}
    assert not set(core.__all__) - documented


def test_site_builds_without_warnings_or_broken_links_and_loads_nothing_from_elsewhere(
    root, tmp_path
):
    pytest.importorskip("mkdocs", reason="needs requirements-docs.txt (make docs)")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        tmp_path,
    ]
    result = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    external = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="https?://""")
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not external.search(text), page
        if page.name != "404.html":  # a server shows it at any address
            for link in re.findall(r'(?:href|src)="([^":#?]+)[#?"]', text):
                target = (page.parent / unquote(link)).resolve()
                assert target.is_relative_to(tmp_path), f"{page}: {link}"
                assert target.exists(), f"{page}: {link}"
