"""Numbers as text, each marked with where it is from until the text is finished."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping

from jinja2 import Undefined

from core.output.intervals import format_metric

from .artefacts import Value

# Private signs of Unicode: no text has them.
_BEGIN, _FROM, _END = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{_BEGIN}([^{_FROM}]*){_FROM}([^{_END}]*){_END}")
"""A marked number: its text, and its source."""
ABSENT = "–"
_BEYOND_CHANCE = 0.05
"""A difference with a smaller probability under no difference counts as seen."""


def remove_marks(text: str) -> str:
    """The text as a person reads it."""
    return MARK.sub(r"\1", text)


def add_sources(text: str) -> str:
    """The text as HTML whose numbers tell their source when pointed at."""
    return MARK.sub(
        lambda found: (
            f'<data value="{html.escape(found[1])}" title="{html.escape(found[2])}">'
            f"{html.escape(found[1])}</data>"
        ),
        text,
    )


def _marked(text: str, source: str) -> str:
    return f"{_BEGIN}{text}{_FROM}{source}{_END}"


def _scaled(factor: float, form: str) -> Callable[..., str]:
    """Return a filter that writes ``factor`` times a value; a dash if it is absent or null."""

    def format_value(value: Value | Undefined, digits: int = 1, sign: bool = False) -> str:
        if isinstance(value, Undefined) or value.raw is None:
            return ABSENT
        shown = f"{factor * value.raw:{'+' if sign else ''},.{digits}f}"
        return _marked(form.format(shown), value.source)

    return format_value


number = _scaled(1.0, "{}")
percent = _scaled(100.0, "{}\u00a0%")
hundredths = _scaled(100.0, "{}")
millions = _scaled(1e-6, "{}")
thousands = _scaled(1e-3, "{}")
thousandfold = _scaled(1e3, "{}")


def count(value: Value | Undefined) -> str:
    """A whole number, with commas between thousands."""
    return number(value, 0)


def span(owner: Value, name: str, digits: int = 1) -> str:
    """The share called ``name`` in hundredths, with its interval where ``owner`` has one."""
    if name not in owner or owner[name].raw is None:
        return ABSENT
    text = hundredths(owner[name], digits)
    interval = f"{name}_interval"
    if interval not in owner:
        return text
    return f"{text} ({_between(owner[interval], hundredths, digits)})"


def plain_span(owner: Value, name: str, digits: int = 3) -> str:
    """Like :func:`span`, for what is no share."""
    interval = owner[f"{name}_interval"]
    return f"{number(owner[name], digits)} ({_between(interval, number, digits)})"


def points(difference: Value, digits: int = 1) -> str:
    """A difference of two shares in points, with its interval."""
    value = hundredths(difference["value"], digits, sign=True)
    return f"{value} ({_between(difference['interval'], hundredths, digits, sign=True)})"


def difference(change: Value, digits: int = 3) -> str:
    """Like :func:`points`, of what is no share."""
    value = number(change["value"], digits, sign=True)
    return f"{value} ({_between(change['interval'], number, digits, sign=True)})"


def _between(
    interval: Value, filter_: Callable[..., str], digits: int, *, sign: bool = False
) -> str:
    low, high = (filter_(interval[end], digits, sign=sign) for end in (0, 1))
    return f"{low}\u00a0to\u00a0{high}"


def share_of(part: Value, whole: Value, digits: int = 1) -> str:
    """``part`` of ``whole`` in percent."""
    text = f"{100 * part.raw / whole.raw:.{digits}f}\u00a0%"
    return _marked(text, f"{part.source} / {whole.source}")


def gap(owner: Value, name: str, part: str, digits: int = 1) -> str:
    """By how many points the share called ``name`` lies above the same share of a part."""
    inside = owner[part][name]
    text = f"{100 * (owner[name].raw - inside.raw):.{digits}f}"
    return _marked(text, f"{owner[name].source} - {inside.source}")


def rest(share: Value) -> str:
    """What is left of one, in percent."""
    return _marked(f"{100 * (1 - share.raw):.0f}\u00a0%", f"1 - {share.source}")


def length_of(value: Value | Undefined) -> str:
    """How many parts it has; none where it is absent."""
    if isinstance(value, Undefined):
        return ABSENT
    return _marked(str(len(value)), f"{value.source}#length")


def key(owner: Value, name: str) -> str:
    """A share that serves as a name in the artefact, in percent."""
    return _marked(f"{100 * float(name):.0f}\u00a0%", f"{owner[name].source}#key")


def plain(value: Value) -> str:
    """A number as it stands in the artefact, with three digits at most behind the point."""
    return number(value, 0 if float(value.raw).is_integer() else min(3, _digits(value.raw)))


def _digits(value: float) -> int:
    return len(f"{value:.3f}".rstrip("0").partition(".")[2])


def last_of(values: Value) -> Value:
    """The last of several values."""
    return values[len(values) - 1]


def last_without_loss(rows: Value) -> Value | None:
    """The last row before answers are right less often, beyond chance, than with good landmarks.

    ``rows`` grow worse; None where the first one loses already.
    """
    last = None
    for row in rows:
        against = row.raw["against_aligned"]
        if against["accuracy"]["value"] < 0 and against["mcnemar_p"] < _BEYOND_CHANCE:
            break
        last = row
    return last


def worst_of(value: Value) -> str:
    """A share in hundredths, with the name of its group beside it, if there is one."""
    if isinstance(value.raw, Mapping):
        name = next(key for key, share in value.raw.items() if isinstance(share, float))
        return hundredths(value[name])
    return hundredths(value)


def probability(value: Value) -> str:
    """A probability under no difference, two digits of it."""
    return _marked(f"{value.raw:.2g}", value.source)


def code(value: Value, length: int | None = None) -> str:
    """A checksum or digest in code style, cut to ``length`` signs."""
    return f"`{_marked(str(value)[:length], value.source)}`"


FILTERS: Mapping[str, Callable[..., object]] = {
    "code": code,
    "count": count,
    "difference": difference,
    "format_metric": format_metric,
    "format_number": format,
    "gap": gap,
    "hundredths": hundredths,
    "key": key,
    "last_of": last_of,
    "last_without_loss": last_without_loss,
    "length_of": length_of,
    "mebibytes": _scaled(1 / 1024**2, "{}"),
    "millions": millions,
    "number": number,
    "percent": percent,
    "plain": plain,
    "plain_span": plain_span,
    "points": points,
    "probability": probability,
    "rest": rest,
    "share_of": share_of,
    "span": span,
    "thousandfold": thousandfold,
    "thousands": thousands,
    "worst_of": worst_of,
}
