"""Numbers are written with their intervals."""

from __future__ import annotations

import pytest

from core import format_metric, format_with_interval


@pytest.mark.parametrize(
    ("value", "interval", "options", "text"),
    [
        (0.5, None, {"spec": ".2f"}, "0.50"),
        (0.701, [0.69, 0.712], {"scale": 100}, "70.1 (69.0 to 71.2)"),
        (0.701, [0.69, 0.712], {"spec": ".1%"}, "70.1% (69.0% to 71.2%)"),
        (0.701, [0.69, 0.712], {"scale": 100, "unit": " %"}, "70.1 % (69.0 to 71.2)"),
        (-0.01, (-0.02, 0.005), {"spec": "+.1f", "scale": 100}, "-1.0 (-2.0 to +0.5)"),
    ],
)
def test_value_is_followed_by_its_interval(value, interval, options, text):
    assert format_with_interval(value, interval, **options) == text


def test_missing_metric_is_a_dash_and_metric_without_interval_is_a_number():
    assert format_metric({}, "f1") == format_metric({"f1": None}, "f1") == "–"
    assert format_metric({"f1": 0.5}, "f1", ".3f", absent="") == "0.500"
    assert format_metric({"f1": 0.5, "f1_interval": [0.4, 0.6]}, "f1") == "0.5 (0.4 to 0.6)"
