"""Numbers as text, each marked with its source until the text is finished."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from jinja2 import Undefined

from core import MODEL_TITLES
from core.output.intervals import format_metric

from .artefacts import Value

# Private characters of Unicode, which no text contains.
_BEGIN, _FROM, _END = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{_BEGIN}([^{_FROM}]*){_FROM}([^{_END}]*){_END}")
"""A marked number: its text, and its source."""
ABSENT = "–"
_SIGNIFICANT = 0.05
"""A difference with a smaller p-value counts as a loss."""


def remove_marks(text: str) -> str:
    """Return the text as a person reads it."""
    return MARK.sub(r"\1", text)


def add_sources(text: str) -> str:
    """Return the text as HTML in which every number has its source as a tooltip."""
    return MARK.sub(
        lambda found: (
            f'<data value="{html.escape(found[1])}" title="{html.escape(found[2])}">'
            f"{html.escape(found[1])}</data>"
        ),
        text,
    )


def _mark(text: str, source: str) -> str:
    return f"{_BEGIN}{text}{_FROM}{source}{_END}"


def _make_filter(factor: float, unit: str = "") -> Callable[..., str]:
    """Return a filter that writes ``factor`` times a value; a dash if it is absent or null."""

    def format_value(value: Value | Undefined, digits: int = 1, sign: bool = False) -> str:
        if isinstance(value, Undefined) or value.raw is None:
            return ABSENT
        spec = f"{'+' if sign else ''},.{digits}f"
        return _mark(f"{factor * value.raw:{spec}}{unit}", value.source)

    return format_value


def model_title(name: object) -> str:
    """Return a model's name as its authors write it."""
    return MODEL_TITLES.get(str(name), str(name))


number = _make_filter(1.0)
percent = _make_filter(100.0, "\u00a0%")
hundredths = _make_filter(100.0)
of_ten = _make_filter(10.0)


def count(value: Value | Undefined) -> str:
    """Return a whole number, with commas between thousands."""
    return number(value, 0)


def span(owner: Value, name: str, digits: int = 1) -> str:
    """Return the share called ``name`` in hundredths, with its interval if ``owner`` has one."""
    return _format_span(hundredths, owner, name, f"{name}_interval", digits)


def span_of_ten(owner: Value, name: str, digits: int = 1) -> str:
    """Return a share as a number of ten people, with its interval if ``owner`` has one."""
    return _format_span(of_ten, owner, name, f"{name}_interval", digits)


def plain_span(owner: Value, name: str, digits: int = 3) -> str:
    """Return the same as :func:`span`, for a value that is not a share."""
    return _format_span(number, owner, name, f"{name}_interval", digits)


def points(difference: Value, digits: int = 1) -> str:
    """Return a difference of two shares in points, with its interval."""
    return _format_span(hundredths, difference, "value", "interval", digits, sign=True)


def difference(change: Value, digits: int = 3) -> str:
    """Return the same as :func:`points`, for values that are not shares."""
    return _format_span(number, change, "value", "interval", digits, sign=True)


def _format_span(
    write: Callable[..., str], owner: Value, name: str, interval: str, digits: int, **sign: bool
) -> str:
    if name not in owner or owner[name].raw is None:
        return ABSENT
    text = write(owner[name], digits, **sign)
    if interval not in owner:
        return text
    low, high = (write(end, digits, **sign) for end in owner[interval])
    return f"{text} ({low}\u00a0to\u00a0{high})"


def share_of(part: Value, whole: Value, digits: int = 1) -> str:
    """Return ``part`` of ``whole`` in percent."""
    text = f"{100 * part.raw / whole.raw:.{digits}f}\u00a0%"
    return _mark(text, f"{part.source} / {whole.source}")


def gap(owner: Value, name: str, part: str, digits: int = 1) -> str:
    """Return by how many points the share ``name`` is above the same share of a part."""
    inside = owner[part][name]
    text = f"{100 * (owner[name].raw - inside.raw):.{digits}f}"
    return _mark(text, f"{owner[name].source} - {inside.source}")


def rest(share: Value) -> str:
    """Return one minus the share, in percent."""
    return _mark(f"{100 * (1 - share.raw):.0f}\u00a0%", f"1 - {share.source}")


def length_of(value: Value | Undefined) -> str:
    """Return the number of its parts; a dash if it is absent."""
    if isinstance(value, Undefined):
        return ABSENT
    return _mark(str(len(value)), f"{value.source}#length")


def key(owner: Value, name: str) -> str:
    """Return in percent a share that is a key of the artefact."""
    return _mark(f"{100 * float(name):.0f}\u00a0%", f"{owner[name].source}#key")


def plain(value: Value) -> str:
    """Return a number as the artefact has it, with at most three decimals."""
    return number(value, len(f"{value.raw:.3f}".rstrip("0").partition(".")[2]))


def last_without_loss(rows: Value) -> Value | None:
    """Return the last row before accuracy is significantly below that with good landmarks.

    ``rows`` are in the order of growing errors; None if the first one has a loss already.
    """
    last = None
    for row in rows:
        against = row.raw["against_aligned"]
        if against["accuracy"]["value"] < 0 and against["mcnemar_p"] < _SIGNIFICANT:
            break
        last = row
    return last


def worst_of(value: Value) -> str:
    """Return a share in hundredths; in a mapping it is the first float."""
    if isinstance(value.raw, Mapping):
        value = next(each for each in value.values() if isinstance(each.raw, float))
    return hundredths(value)


def probability(value: Value) -> str:
    """Return a p-value with two digits."""
    return _mark(f"{value.raw:.2g}", value.source)


def code(value: Value, length: int | None = None) -> str:
    """Return a checksum in code style, cut to ``length`` characters."""
    return f"`{_mark(str(value)[:length], value.source)}`"


FILTERS: Mapping[str, Callable[..., object]] = {
    "code": code,
    "count": count,
    "difference": difference,
    "format_metric": format_metric,
    "format_number": format,
    "gap": gap,
    "hundredths": hundredths,
    "key": key,
    "last_without_loss": last_without_loss,
    "length_of": length_of,
    "mebibytes": _make_filter(1 / 1024**2),
    "millions": _make_filter(1e-6),
    "model_title": model_title,
    "number": number,
    "of_ten": of_ten,
    "percent": percent,
    "plain": plain,
    "plain_span": plain_span,
    "points": points,
    "probability": probability,
    "rest": rest,
    "share_of": share_of,
    "span": span,
    "span_of_ten": span_of_ten,
    "thousandfold": _make_filter(1e3),
    "worst_of": worst_of,
}
