"""Charts of a model's measured figures."""

from __future__ import annotations

from core import EMOTIONS
from frontends.streamlit_app.figure_charts import confusion_chart, reliability_chart

GROUPS = [
    {"confidence": 0.3, "accuracy": 0.25, "n": 10},
    {"confidence": 0.9, "accuracy": 0.95, "n": 20},
]


def test_reliability_has_a_point_for_each_group_in_percent():
    chart = reliability_chart({"People": GROUPS, "Label": GROUPS[:1]})
    rows = chart["layer"][1]["data"]["values"]
    assert [(row["reading"], row["given"], row["right"], row["faces"]) for row in rows] == [
        ("People", 30, 25, 10),
        ("People", 90, 95, 20),
        ("Label", 30, 25, 10),
    ]
    assert "People: 25% right where the answer gives 30%, 95% where it gives 90%" in chart[
        "description"
    ].replace("\u00a0", "")


def test_confusion_is_in_percent_of_each_label():
    count = len(EMOTIONS)
    matrix = [[8 if row == column else 2 for column in range(count)] for row in range(count)]
    chart = confusion_chart(matrix)
    shares = {(row["label"], row["answer"]): row["share"] for row in chart["data"]["values"]}
    assert shares["Happy", "Happy"] == shares["Neutral", "Neutral"] == 40
    assert shares["Happy", "Sad"] == 10
    assert "Happy 40" in chart["description"]


def test_label_without_faces_has_no_share():
    matrix = [[0] * len(EMOTIONS) for _ in EMOTIONS]
    assert {row["share"] for row in confusion_chart(matrix)["data"]["values"]} == {0}
