"""The report tells what people would see, and FER-2013's label beside it."""

from __future__ import annotations

import pytest

from core.labels import EMOTIONS
from training.reporting.filters import MARK, remove_marks
from training.reporting.report import DOCUMENTS, render_document


def list_sources(name, artefacts):
    return {source for _, source in MARK.findall(render_document(name, artefacts))}


def test_report_has_what_people_see_with_intervals_by_model_and_emotion(artefacts, results):
    sources = list_sources(DOCUMENTS[0], artefacts)
    for name in results["metrics_publictest"]["models"]:
        way = f"metrics_publictest: models/{name}/people"
        for figure in ("agreement", "voters", "share_error", "kl"):
            assert {f"{way}/{figure}", f"{way}/{figure}_interval/0"} <= sources
        assert {f"{way}/certain/coverage", f"{way}/certain/accuracy"} <= sources
        assert {f"{way}/per_class/{emotion}/recall" for emotion in EMOTIONS} <= sources
    for index in range(len(results["metrics_publictest"]["pairs"])):
        assert f"metrics_publictest: pairs/{index}/people/agreement/interval/1" in sources


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_compare_the_readings_and_the_label_with_the_votes(artefacts, name):
    sources = list_sources(name, artefacts)
    way = "metrics_publictest: models/mobilenet_v2"
    assert {f"{way}/crowd/labels_matching_plurality", f"{way}/people/agreement"} <= sources
    for reading in ("people", "fer2013"):
        neutral = f"photos_natural: models/mobilenet_v2/{reading}/per_class/neutral"
        assert f"{neutral}/right / {neutral}/found" in sources


def test_report_has_natural_photos_by_reading_and_emotion(artefacts, results):
    sources = list_sources(DOCUMENTS[0], artefacts)
    for name in results["photos_natural"]["models"]:
        for reading in ("people", "fer2013"):
            way = f"photos_natural: models/{name}/{reading}"
            for figure in ("accuracy_of_found", "accuracy_in_life", "certain_accuracy"):
                assert {f"{way}/{figure}", f"{way}/{figure}_interval/1"} <= sources
    default = "photos_natural: models/mobilenet_v2/people"
    assert f"{default}/unreadable/withheld_wrong" in sources
    for emotion in results["photos_natural"]["models"]["mobilenet_v2"]["people"]["per_class"]:
        row = f"{default}/per_class/{emotion}"
        assert f"{row}/right / {row}/found" in sources


@pytest.mark.parametrize(
    "heading",
    ["What each term is worth", "The frame", "Misplaced landmarks", "Training against bias"],
)
def test_study_of_labels_says_so_at_its_beginning(artefacts, heading):
    text = remove_marks(render_document(DOCUMENTS[0], artefacts))
    part = text.split(f"### {heading}\n\n")[1]
    assert "FER-2013's label" in part.split("\n")[0]


def test_groups_of_faces_are_measured_with_the_label_and_say_so(artefacts):
    text = remove_marks(render_document(DOCUMENTS[0], artefacts))
    part = text.split("## Robustness and bias\n\n")[1]
    assert "FER-2013's label" in part.split("\n")[0]
    ethics = remove_marks(render_document("ethics.md", artefacts))
    assert "with FER-2013's label. When faces are divided into groups" in ethics
