"""The report: every number in it is found in an artefact, and what is committed is up to date."""

from __future__ import annotations

import itertools
import json
import re
from datetime import date

import pytest

from core import DataError, __version__
from training.evaluation.release_gate import read_limits
from training.reporting.artefacts import Value, find_other_weights, read_artefacts
from training.reporting.diagram import draw_system_diagram, find_stages
from training.reporting.filters import MARK, last_without_loss, model_title, remove_marks
from training.reporting.illustrations import draw_illustrations
from training.reporting.measures import ELSEWHERE, MEASURES, format_command_for_all
from training.reporting.page import render_page
from training.reporting.report import (
    DOCUMENTS,
    PAGE,
    PICTURES,
    render_document,
    write_report,
)
from training.studies import ablation

REFRESH = "run: emotion report --out docs"
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
SCALES = (1.0, 10.0, 100.0, 1e-6, 1e-3, 1e3, 1 / 1024**2)
"""Of shares, tenths, hundredths, millions, thousands, mebibytes."""
NAMES = (
    # Text with digits that is not a figure: code, places, sections of laws and lists of sources.
    r"```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->",
    r"(?m)^## (?:Law|Sources|References)$.*?(?=^## |\Z)",
    r"MobileNetV2 1\.0/224|FER-2013|MobileNetV2|ResNet50|InceptionV3|\w+_v\d|resnet50",
    r"macro-F1|\bF1\b|\bp\d\d\b",
    r"Apache-2\.0|Article \d+\(\d\)\(f\)|Articles \d+ to \d+|Version \S+|(?:\(| )(?:19|20)\d\d\b",
)


def at(results, source):
    artefact, _, way = source.partition(": ")
    value, parts = results[artefact], way.split("/")
    while parts:
        # A name may contain the separator, as in "hybrid/fast".
        many = (
            1
            if isinstance(value, list)
            else next(n for n in range(len(parts), 0, -1) if "/".join(parts[:n]) in value)
        )
        key = "/".join(parts[:many])
        value, parts = value[int(key) if isinstance(value, list) else key], parts[many:]
    return value


def value_at(results, source):
    """Return the number that a source refers to."""
    if source.startswith("1 - "):
        return 1 - at(results, source.removeprefix("1 - "))
    for sign, combine in ((" / ", float.__truediv__), (" - ", float.__sub__)):
        if sign in source:
            first, second = source.split(sign)
            return combine(float(at(results, first)), float(at(results, second)))
    if source.endswith("#length"):
        return len(at(results, source.removesuffix("#length")))
    if source.endswith("#key"):
        return float(source.removesuffix("#key").rpartition("/")[2])
    return at(results, source)


def texts(results):
    """Return every string of an artefact that is long enough and has a digit."""
    if isinstance(results, str):
        return [results] if len(results) > 2 and re.search(r"\d", results) else []
    parts = (
        [*results, *results.values()]
        if isinstance(results, dict)
        else results
        if isinstance(results, list)
        else ()
    )
    return [each for part in parts for each in texts(part)]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_number_is_the_one_its_artefact_holds(artefacts, results, name):
    marks = MARK.findall(render_document(name, artefacts))
    assert len(marks) > 10
    for text, source in marks:
        value = value_at(results, source)
        if isinstance(value, str):
            assert value.startswith(text), source
            continue
        shown = NUMBER.search(text)[0].replace(",", "")
        mantissa, _, exponent = shown.partition("e")
        digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
        near = [abs(float(shown) - scale * value) for scale in SCALES]
        assert min(near) <= 0.5001 * 10**-digits, f"{text} is not {value} of {source}"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_number_is_typed_by_hand(artefacts, results, name):
    text = MARK.sub("", render_document(name, artefacts))
    for names in NAMES:
        text = re.sub(names, " ", text, flags=re.DOTALL)
    for held in sorted(set(texts(results)), key=len, reverse=True):
        text = text.replace(held, " ")
    typed = [line for line in text.splitlines() if re.search(r"\d", line)]
    assert not typed


@pytest.mark.parametrize("name", DOCUMENTS)
def test_committed_document_is_what_the_command_writes(root, artefacts, name):
    committed = (root / "docs" / name).read_text(encoding="utf-8")
    assert committed == remove_marks(render_document(name, artefacts)), REFRESH


def test_committed_page_is_what_the_command_writes(root, artefacts):
    pictures = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (root / "docs" / PICTURES).glob("*.svg")
    }
    committed = (root / "docs" / PAGE).read_text(encoding="utf-8")
    written = date.fromisoformat(re.search(r'<time datetime="([^"]+)"', committed)[1])
    page = render_page(render_document(DOCUMENTS[0], artefacts), pictures, written)
    assert committed == page, REFRESH


def test_page_has_a_title_page_numbered_figures_and_the_models_titles(root):
    text = (root / "docs" / PAGE).read_text(encoding="utf-8")
    assert text.count("<h1") == 1
    assert f"<p>Version {__version__}, <time" in text
    captions = re.findall(r"<figcaption>Figure (\d+)\. ", text)
    assert captions == [str(number + 1) for number in range(text.count("<img "))]
    shown = re.sub(
        r"<code.*?</code>|<pre.*?</pre>|<style.*?</style>|<[^>]+>", "", text, flags=re.DOTALL
    )
    assert "MobileNetV2" in shown
    # Only in the name of a file.
    assert not re.search(r"(?<!_)mobilenet_v2", shown)


def test_committed_figures_are_drawn_from_the_committed_artefacts(root, artefacts):
    def origin(picture):
        # The diagram is drawn from the code alone; charts name what they were drawn from.
        found = re.search(r"drawn from (\w+)", picture)
        return found[1] if found else picture

    drawn = draw_illustrations(artefacts)
    committed = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (root / "docs" / PICTURES).glob("*.svg")
    }
    assert set(committed) == set(drawn), REFRESH
    for name, picture in drawn.items():
        assert origin(committed[name]) == origin(picture), f"{name}: {REFRESH}"


def test_page_needs_no_other_file_and_names_the_source_of_a_number(root):
    text = (root / "docs" / PAGE).read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:|#)', text)
    assert 'title="metrics_publictest: models/mobilenet_v2/accuracy">' in text


def test_diagram_shows_the_stages_in_the_order_of_the_pipeline(root):
    stages = find_stages(root / "core" / "pipeline.py")
    # The order that tests/core/test_pipeline.py checks in an answer.
    assert stages == ["detect", "landmarks", "align", "quality", "classify"]
    drawn = draw_system_diagram()
    places = [drawn.index(f">{stage}</text>") for stage in stages]
    assert places == sorted(places)


def test_missing_result_is_replaced_by_the_command_that_measures_it(artefacts):
    few = {name: artefacts[name] for name in ("metrics_publictest", "manifest", "constants")}
    text = remove_marks(render_document(DOCUMENTS[0], few))
    for measure in MEASURES:
        if measure.artefact not in few:
            assert f"`{measure.format_command()}` measures it" in text


def test_report_without_results_names_the_first_command(root, tmp_path):
    with pytest.raises(DataError) as results:
        write_report(tmp_path / "docs", results=tmp_path, weights=root / "weights")
    assert results.value.hint.startswith("emotion evaluate ")


def test_report_of_figures_without_votes_names_the_command(root, tmp_path):
    metrics = {"models": {"mobilenet_v2": {"people": None}, "resnet50": {}}}
    (tmp_path / "metrics_publictest.json").write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(DataError, match="What people would see is not measured") as error:
        write_report(tmp_path / "docs", results=tmp_path, weights=root / "weights")
    assert "--votes" in error.value.hint


def test_manifest_of_an_earlier_version_is_read_as_the_current_one(tmp_path):
    entry = {"calibration": {"temperature": 1.5}}
    manifest = {"schema_version": 1, "models": {"a": entry}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    calibrations = read_artefacts(tmp_path, tmp_path)["manifest"]["models"]["a"]["calibrations"]
    assert calibrations["people"] == calibrations["fer2013"] == {"temperature": 1.5}


def test_artefact_that_is_not_json_is_refused(root, tmp_path):
    (tmp_path / "frame.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"frame\.json"):
        read_artefacts(tmp_path, root / "weights")


def test_artefact_of_other_weights_is_noticed():
    manifest = Value({"models": {"a": {"sha256": "1"}, "b": {"sha256": "2"}}}, "manifest")
    parts = {"x": {"weights_sha256": {"a": "1"}}, "y": [{"weights_sha256": {"b": "old"}}]}
    assert find_other_weights(Value(parts, "study"), manifest) == ["b"]
    assert find_other_weights(Value({"model": "a", "weights_sha256": "1"}, "study"), manifest) == []


def test_number_cannot_reach_a_text_without_its_source():
    with pytest.raises(TypeError, match="study: models/n"):
        f"{Value(3, 'study', ('models', 'n'))}"


def noisy(*rows):
    """Rows of growing error with a difference in accuracy and its McNemar p each."""
    results = [
        {"against_aligned": {"accuracy": {"value": value}, "mcnemar_p": p}} for value, p in rows
    ]
    return Value(results, "study")


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([(-0.01, 0.4), (-0.02, 0.05), (-0.09, 0.01), (-0.01, 0.6)], 1),
        ([(-0.01, 0.4), (-0.02, 0.3)], 1),
        ([(0.03, 0.01), (-0.02, 0.3), (-0.1, 0.001)], 1),
        ([(-0.1, 0.049)], None),
    ],
    ids=["one later without loss does not count", "none loses", "a gain is no loss", "first loses"],
)
def test_last_row_without_loss_is_the_last_before_a_significant_loss(rows, last):
    found = last_without_loss(noisy(*rows))
    assert (found is None) if last is None else (found.way == (last,))


def test_errors_without_loss_are_reported_for_every_kind_and_model(artefacts):
    text = remove_marks(render_document(DOCUMENTS[0], artefacts))
    part = text.split("#### Where no loss was seen")[1].split("#### ")[0]
    models = artefacts["landmarks"]["models"]
    rows = {
        line.split("|")[1].strip(): line.split("|")[2:-1]
        for line in part.splitlines()
        if "|" in line
    }
    for kind in models.values()[0]["noise"].raw:
        assert len(rows[kind]) == len(models), kind
        for cell, results in zip(rows[kind], models.values(), strict=True):
            found = last_without_loss(results["noise"][kind])
            assert cell.strip().startswith(
                "none" if found is None else f"{100 * found['error'].raw:.0f}"
            )


def test_report_has_all_measured_figures_about_landmarks(artefacts, results):
    sources = {source for _, source in MARK.findall(render_document(DOCUMENTS[0], artefacts))}
    for name, model in results["landmarks"]["models"].items():
        way = f"landmarks: models/{name}"
        for kind, rows in model["noise"].items():
            for index, figure in itertools.product(
                range(len(rows)), ("accuracy", "macro_f1", "flips", "mean_confidence")
            ):
                assert f"{way}/noise/{kind}/{index}/{figure}" in sources
        for index in range(len(model["dropped"])):
            assert f"{way}/dropped/{index}/accuracy" in sources
        for ways in ("ways", "photos"):
            assert f"landmarks: {ways}/models/{name}/five_points/accuracy" in sources
    for kind in next(iter(results["landmarks"]["models"].values()))["noise"]:
        assert any(re.search(rf"/noise/{kind}/\d+/nme$", source) for source in sources)
    for ways in ("ways", "photos"):
        assert f"landmarks: {ways}/distance/mean" in sources


def test_report_has_all_groups_with_worse_answers(artefacts, results):
    sources = {source for _, source in MARK.findall(render_document(DOCUMENTS[0], artefacts))}
    for name, model in results["robustness"]["models"].items():
        for index in range(len(model["worst"])):
            assert f"robustness: models/{name}/worst/{index}/accuracy" in sources


def test_training_against_bias_is_reported_with_costs_and_gains(artefacts):
    sources = {source for _, source in MARK.findall(render_document(DOCUMENTS[0], artefacts))}
    runs = artefacts["ablation_mitigation"]["runs"]
    assert len(runs) == 1 + len(ablation.MITIGATIONS)
    for index in range(1, len(runs)):
        for figure in ("accuracy", "balanced_accuracy", "worst_gap"):
            for part in ("value", "interval/0", "interval/1"):
                source = f"ablation_mitigation: runs/{index}/against_first/{figure}/{part}"
                assert source in sources


@pytest.mark.parametrize("name", DOCUMENTS)
def test_report_says_which_training_closes_the_gap_of_the_worst_group(artefacts, results, name):
    text = remove_marks(render_document(name, artefacts))
    closed = [
        run["name"]
        for run in results["ablation_mitigation"]["runs"]
        if run["against_first"]["worst_gap"]["interval"][0] > 0
    ]
    smaller = (
        r"(?:gap of the worst group is smaller with ([^.]+)\.|each: (.+?) made the gap of the)"
    )
    [said] = [one or other for one, other in re.findall(smaller, text)]
    assert said == (", ".join(f"*{run}*" for run in closed) if closed else "none of them")


def test_report_says_that_the_mesh_was_not_compared_with_human_points(artefacts, results):
    text = remove_marks(render_document(DOCUMENTS[0], artefacts))
    unmeasured = results["landmarks"]["human_points"] is None
    assert ("to points that people placed is not measured" in text) == unmeasured


@pytest.mark.parametrize("name", DOCUMENTS)
def test_report_names_the_groups_that_the_gate_exempts(artefacts, results, name):
    text = remove_marks(render_document(name, artefacts))
    exempt = set(results["robustness"]["slicings"]) - set(read_limits().slicings)
    assert exempt
    [sentence] = re.findall(r"[Gg]roups by ([a-z ]+?)(?: are measured above|, which)", text)
    assert set(sentence.split(" and by ")) == {each.replace("_", " ") for each in exempt}


@pytest.mark.parametrize("name", ["landmarks", "robustness"])
def test_curves_are_drawn_for_each_model_with_a_band(artefacts, results, name):
    models = results[name]["models"]
    kinds = next(iter(models.values()))["noise" if name == "landmarks" else "curves"]
    picture = draw_illustrations({name: artefacts[name]})[name]
    for each in (*models, *kinds):
        assert f">{model_title(each)}</text>" in picture
    assert picture.count('id="FillBetweenPolyCollection_') == len(models) * len(kinds)


@pytest.mark.parametrize(("name", "counted"), [("landmarks", "n"), ("robustness", "made_worse")])
def test_listed_command_has_the_measured_number_of_faces(results, name, counted):
    [measure] = [each for each in MEASURES if each.artefact == name]
    words = measure.command.split()
    sample = words[words.index("--sample") + 1]
    assert int(sample) == results[name][counted]
    assert ("{photos}" in words) == bool(results[name].get("photos"))


def test_command_for_all_gives_every_input_that_a_measure_needs(artefacts):
    for need in {need for each in MEASURES for need in each.needs}:
        assert f" --{need} " in format_command_for_all()
    text = remove_marks(render_document(DOCUMENTS[0], artefacts)).split("## Reproducing")[1]
    assert format_command_for_all() in text
    for each in MEASURES:
        assert f"| {each.topic}: `{each.artefact}` | `{each.format_command()}` |" in text
    for each in ELSEWHERE:
        assert f"| {each.topic} | `{each.format_command()}` |" in text


def test_every_artefact_in_the_report_has_a_command(artefacts):
    sources = [
        source for name in DOCUMENTS for _, source in MARK.findall(render_document(name, artefacts))
    ]
    read = {source.removeprefix("1 - ").partition(":")[0] for source in sources}
    listed = {each.artefact for each in (*MEASURES, *ELSEWHERE)}
    ablations = {name for name in read if name.startswith("ablation_")}
    assert read - listed - ablations == {"constants", "published"}
