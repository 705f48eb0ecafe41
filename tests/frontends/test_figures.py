"""The tables of measured figures: one for each reading that was measured."""

from __future__ import annotations

from frontends.figures import chart_html, explain_ensemble, list_tables
from tests.fakes import model_info, untrained

LABEL = model_info().metrics["validation"]
PEOPLE = {
    "n": 3400,
    "agreement": 0.834,
    "agreement_interval": [0.82, 0.846],
    "voters": 0.701,
    "share_error": 0.0152,
    "kl": 0.3,
    "certain": {"from": 0.55, "coverage": 0.81, "accuracy": 0.9},
}


def figures_of(table, title="MobileNetV2"):
    return {row["Figure"]: row[title] for row in table.rows}


def test_label_alone_is_shown_while_nothing_else_was_measured():
    [table] = list_tables([model_info(), untrained("resnet50")])
    assert table.title == "FER-2013's label"
    assert figures_of(table)["Right answers"] == "67.1 % (65.5 to 68.6)"
    assert list(table.rows[0]) == ["Figure", "MobileNetV2"]


def test_each_reading_has_a_table_of_its_own():
    info = model_info(metrics={"validation": {**LABEL, "people": PEOPLE}})
    people, label = list_tables([info])
    assert people.title == "What people would see"
    assert figures_of(people) == {
        "Faces": "3,400",
        "Agrees with most people": "83.4 % (82.0 to 84.6)",
        "People who agree with the answer": "70.1 %",
        "Average error of the shares": "1.5 %",
        'Answers given (not "not sure")': "81.0 %",
        "Agrees with most people, among the answers given": "90.0 %",
    }
    assert figures_of(label)["Right answers"] == "67.1 % (65.5 to 68.6)"


def test_model_without_a_figure_has_a_dash_there():
    measured = model_info(metrics={"validation": {**LABEL, "people": PEOPLE}})
    people, _ = list_tables([model_info("resnet50"), measured])
    assert figures_of(people, "ResNet50")["Agrees with most people"] == "–"
    assert figures_of(people)["Agrees with most people"] == "83.4 % (82.0 to 84.6)"


def test_test_part_has_a_column_behind_the_usual_one():
    [table] = list_tables([model_info(metrics={"test": LABEL, "validation": LABEL})])
    assert list(table.rows[0]) == ["Figure", "MobileNetV2", "MobileNetV2, PrivateTest"]


def test_nothing_measured_gives_no_table():
    assert not list(list_tables([model_info(metrics={})]))


def measured(name, ms, agreement):
    people = {**PEOPLE, "agreement": agreement, "agreement_interval": [0.82, 0.88]}
    return model_info(
        name,
        metrics={"validation": {**LABEL, "people": people}},
        speed={"engines": {"openvino": {"ms_per_face": ms}}},
    )


def test_chart_has_each_model_s_title_and_no_drawing_that_streamlit_removes():
    html = chart_html([measured("mobilenet_v2", 3.4, 0.853), measured("ensemble", 47.2, 0.865)])
    assert "MobileNetV2: 85 of 100 faces, 3 ms. Ensemble of all three: 86 of 100 faces" in html
    assert html.count('class="dot"') == 2
    assert "mobilenet_v2" not in html
    assert "<svg" not in html
    assert chart_html([measured("mobilenet_v2", 3.4, 0.853), model_info("resnet50")]) == ""


def test_cost_of_the_ensemble_is_said_in_words():
    fast, slow = measured("mobilenet_v2", 3.4, 0.853), measured("resnet50", 28, 0.852)
    text = explain_ensemble([slow, fast, measured("ensemble", 47.2, 0.866)])
    assert "about 14 times as long as with MobileNetV2" in text
    assert "on 87 of 100 test faces, MobileNetV2 on 85" in text
    assert explain_ensemble([measured("mobilenet_v2", 3.4, 0.853)]) == ""
