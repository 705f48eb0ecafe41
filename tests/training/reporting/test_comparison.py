"""Every two models against each other, if they were measured together."""

from __future__ import annotations

import pytest

from tests.fakes import model_info
from training.reporting.comparison import build_pair_rows, format_comparison_table

HEADINGS = ("accuracy compared", "difference in points", "McNemar p")


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
    assert figures.startswith("| | mobilenet_v2 | resnet50 |\n|---|---|---|\n| accuracy, % |")
    assert pairs == (
        "| accuracy compared | difference in points | McNemar p |\n|---|---|---|\n"
        "| mobilenet_v2 against resnet50 | +3.9 (+2.7 to +5.0) | < 0.001 |\n"
    )
    assert format_comparison_table([model("mobilenet_v2"), model("resnet50")]) == figures + "\n"
