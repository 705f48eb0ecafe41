"""A film's answer as HTML that both fronts show: player, timeline, table, downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core import EMOTIONS, Emotion, FaceSummary

from .cards import load_template
from .films import MARKED, PLOT, TABLE, FilmJob
from .live_recording import LiveRecording
from .wording import NOT_SURE, format_emotion, format_face_count

_FOLDER = Path(__file__).with_name("film")
_MOST_SHOWN = 12
"""Faces with a row each: those seen longest. The table for download has all of them."""
_TICKS_APART = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_MOST_TICKS = 6
_LIGHT_INK_BELOW = 0.179
"""Relative luminance (WCAG) at which black and white have the same contrast."""


def film_html(job: FilmJob | LiveRecording, address: str) -> str:
    """Return the answer for a film or a camera session that is done.

    ``address`` is where its files are, without / at its end.
    """
    summary = job.summary
    shown = sorted(summary.list_longest(_MOST_SHOWN), key=lambda face: face.number)
    words = [
        f"{summary.duration_s:.1f} s",
        f"{summary.frames:,} frames" if summary.frames != 1 else "1 frame",
        format_face_count(len(summary.faces)).lower(),
    ]
    given = [each for face in shown for each in face.shares]
    answers = [*(each for each in EMOTIONS if each in given), *([None] if None in given else [])]
    return str(
        load_template("film.html.j2").film(
            facts=", ".join(words),
            notes=[*job.notes, *_explain_left_out(len(shown), len(summary.faces))],
            duration_s=summary.duration_s,
            size_wh=job.size_wh,
            faces=[_describe(face, summary.duration_s, answers) for face in shown],
            answers=[_describe_answer(each) for each in answers],
            ticks=_choose_ticks(summary.duration_s),
            files={
                "marked": MARKED if isinstance(job, FilmJob) else "",
                "table": TABLE,
                "plot": PLOT,
            },
            address=address,
        )
    )


def read_player_code(connection: Path) -> tuple[str, str, str]:
    """Return HTML, CSS and JavaScript of the player, with the script that connects it to a page."""
    html, css, script = (
        (_FOLDER / f"film.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")
    )
    return html, css, f"{script}\n{connection.read_text(encoding='utf-8')}"


def read_player_style() -> str:
    """Return the CSS of :func:`film_html`."""
    return (_FOLDER / "film.css").read_text(encoding="utf-8")


def format_time(seconds: float) -> str:
    """Return a moment of a film as players show it."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _explain_left_out(shown: int, faces: int) -> list[str]:
    if shown == faces:
        return []
    return [f"{shown} of {faces} faces are shown: those seen longest. The table (CSV) has all."]


def _describe(
    face: FaceSummary, duration_s: float, answers: list[Emotion | None]
) -> dict[str, Any]:
    shares = face.shares
    return {
        "number": face.number,
        "seen": f"{face.seen_s:.1f} s",
        "shares": [_format_share(shares[each]) if each in shares else "" for each in answers],
        "bands": [
            {
                **_describe_answer(band.answer),
                "start": round(band.start_s, 3),
                "end": round(band.end_s, 3),
                "left": 100 * band.start_s / duration_s,
                "width": 100 * band.seconds / duration_s,
                "when": f"{format_time(band.start_s)} to {format_time(band.end_s)}",
            }
            for band in face.bands
        ],
    }


def _format_share(share: float) -> str:
    return "< 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def _describe_answer(answer: Emotion | None) -> dict[str, Any]:
    if answer is None:
        return {"word": NOT_SURE, "colour": "", "ink": ""}
    red, green, blue = answer.colour
    return {
        "word": format_emotion(answer),
        "colour": f"rgb({red},{green},{blue})",
        "ink": "#fff" if _luminance(answer.colour) < _LIGHT_INK_BELOW else "#000",
    }


def _luminance(rgb: tuple[int, int, int]) -> float:
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4
        for each in (channel / 255 for channel in rgb)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _choose_ticks(duration_s: float) -> list[dict[str, Any]]:
    """Return a few round moments and where they are, in percent."""
    apart = next((each for each in _TICKS_APART if duration_s / each <= _MOST_TICKS), 1200)
    count = int(duration_s / apart)
    return [
        {"word": format_time(number * apart), "left": 100 * number * apart / duration_s}
        for number in range(count + 1)
    ]
