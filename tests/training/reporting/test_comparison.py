"""Every two models against each other, if they were measured together."""

from __future__ import annotations

import pytest

from tests.fakes import model_info
from training.reporting.comparison import (
    build_comparison_rows,
    build_pair_rows,
    format_comparison_table,
)

HEADINGS = ("label accuracy compared", "difference in points", "McNemar p")


def comparison(value, low, high, p):
    return {"accuracy": {"value": value, "interval": [low, high]}, "mcnemar_p": p}


def model(name, **against):
    return model_info(name, metrics={"validation": {"accuracy": 0.7, "against": against}})


MOBILENET = model("mobilenet_v2", resnet50=comparison(0.039, 0.027, 0.0504, 2e-10))
RESNET = model("resnet50", mobilenet_v2=comparison(-0.039, -0.0504, -0.027, 2e-10))


def test_pair_has_one_row_from_the_first_model_s_side():
    gap = ("mobilenet_v2 against resnet50", "+3.9 (+2.7 to +5.0)", "< 0.001")
    assert build_pair_rows([MOBILENET, RESNET]) == [HEADINGS, gap]
    gap = ("resnet50 against mobilenet_v2", "-3.9 (-5.0 to -2.7)", "< 0.001")
    assert build_pair_rows([RESNET, MOBILENET]) == [HEADINGS, gap]


def test_what_people_see_comes_before_the_label():
    people = {
        "agreement": 0.832,
        "agreement_interval": [0.82, 0.8441],
        "voters": 0.6986,
        "voters_interval": [0.69, 0.71],
        "kl": 0.3011,
        "certain": {"coverage": 0.74, "accuracy": 0.9},
    }
    first = model_info("a", metrics={"validation": {"accuracy": 0.7, "people": people}})
    rows = [row[:3] for row in build_comparison_rows([first, model("b")])]
    assert rows[:6] == [
        ("agrees with most people, %", "83.2 (82.0 to 84.4)", "–"),
        ("of ten people who agree", "7.0 (6.9 to 7.1)", "–"),
        ("KL to the votes, nats", "0.301", "–"),
        ("certain answers, %", "74.0", "–"),
        ("agree with most people among them, %", "90.0", "–"),
        ("label: accuracy, %", "70.0", "70.0"),
    ]


@pytest.mark.parametrize(
    ("p", "text"), [(0.0009, "< 0.001"), (0.001, "0.001"), (0.0176, "0.018"), (1.0, "1")]
)
def test_p_has_two_digits_and_is_never_zero(p, text):
    pair = [
        model("a", b=comparison(0.0, -0.01, 0.01, p)),
        model("b", a=comparison(0.0, -0.01, 0.01, p)),
    ]
    assert build_pair_rows(pair)[1][2] == text


def test_pair_is_left_out_if_only_one_model_was_measured_again():
    assert build_pair_rows([MOBILENET, model("resnet50")]) == []
    assert build_pair_rows([model("mobilenet_v2"), RESNET]) == []
    assert build_pair_rows([MOBILENET, model_info("resnet50", metrics={})]) == []


def test_markdown_has_a_second_table_only_if_pairs_are_recorded():
    both = format_comparison_table([MOBILENET, RESNET])
    figures, pairs = both.split("\n\n")
    assert figures.startswith(
        "| | mobilenet_v2 | resnet50 |\n|---|---|---|\n| label: accuracy, % |"
    )
    assert pairs == (
        "| label accuracy compared | difference in points | McNemar p |\n|---|---|---|\n"
        "| mobilenet_v2 against resnet50 | +3.9 (+2.7 to +5.0) | < 0.001 |\n"
    )
    assert format_comparison_table([model("mobilenet_v2"), model("resnet50")]) == figures + "\n"
