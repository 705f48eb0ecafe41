"""The table of answers that `emotion analyze` prints for a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from cli.tables import make_table, print_tables
from cli.terminal import make_printable
from core import Reading

if TYPE_CHECKING:
    from core import EmotionScores, FaceAnalysis, ImageAnalysis


def print_answers(analyses: Sequence[ImageAnalysis]) -> None:
    """Print a row for each face of ``analyses``, and below what the columns and remarks mean."""
    from rich.text import Text

    faces = [face for analysis in analyses for face in analysis.faces]
    is_ensemble = any(face.agreement for face in faces)
    by_people = any(face.reading is Reading.PEOPLE for face in faces)
    share = "People" if by_people else "Probability"
    networks = ("Networks",) if is_ensemble else ()
    left = ("Face", "Emotion", "Next", *networks, "Remarks")
    headings = ("Photo", "Face", "Emotion", share, "Next", *networks, "Remarks")
    table = make_table(*headings, left=left, unbroken=("Emotion", share, "Next"))
    explanations: dict[str, str] = {}
    if by_people:
        explanations["People"] = "how many of ten people would say so (estimated)."
    if doubt := _explain_not_sure([face.emotions for face in faces]):
        explanations["not sure"] = doubt
    for analysis in analyses:
        name = Text(make_printable(analysis.name))
        notes = " ".join(analysis.notes)
        if not analysis.faces:
            blank = [""] * (2 + len(networks))
            table.add_row(name, "-", "no face found", *blank, Text(notes))
        for face in analysis.faces:
            remarks = [_shorten(reason, explanations) for reason in face.quality.reasons]
            own_notes = notes if face.index == 1 else ""
            top = face.emotions.top
            table.add_row(
                name if face.index == 1 else "",
                str(face.index),
                str(top) if face.emotions.certain else f"not sure ({top}?)",
                *_format_shares(face.emotions),
                *([_count_networks(face)] if is_ensemble else ()),
                Text(". ".join(filter(None, [", ".join(remarks), own_notes]))),
            )
    print_tables(table)
    if explanations:
        typer.echo()
    for word, explanation in explanations.items():
        typer.echo(f"{word}: {explanation}")


def _format_shares(emotions: EmotionScores) -> tuple[str, str]:
    """Return how probable the top emotion is, and the next one: "7 of 10" and "2 sad"."""
    from core import format_people, format_probability

    if emotions.reading is Reading.PEOPLE:
        people, others = format_people(emotions)
        return people, "".join(others[:1])
    (_, probability), (second, second_probability) = emotions.ranked()[:2]
    return format_probability(probability), f"{second} {format_probability(second_probability)}"


def _explain_not_sure(answers: Sequence[EmotionScores]) -> str:
    """Return why some of ``answers`` are not sure; empty if all are certain."""
    from core import format_probability

    unsure = [emotions for emotions in answers if not emotions.certain]
    reasons = []
    readable = [emotions for emotions in unsure if emotions.unreadable is None]
    if readable:
        level = readable[0].certain_from
        by_people = readable[0].reading is Reading.PEOPLE
        reasons.append(
            f"fewer than {format_probability(level)} of people would say so"
            if by_people
            else f"less than {format_probability(level)}"
        )
    if len(readable) < len(unsure):
        reasons.append("an unreadable face (see Remarks)")
    return ", or ".join(reasons) + "." if reasons else ""


def _count_networks(face: FaceAnalysis) -> str:
    """Return how many networks of an ensemble chose each emotion, as in "happy 2, sad 1"."""
    counts = Counter(scores.top for scores in face.per_model.values())
    return ", ".join(f"{emotion} {count}" for emotion, count in counts.most_common())


def _shorten(reason: str, explained: dict[str, str]) -> str:
    """Return a remark in few words; what it explains after a semicolon goes to ``explained``."""
    fact, _, explanation = reason.removeprefix("The face ").removesuffix(".").partition("; ")
    fact = re.sub("^(is|has) ", "", fact)
    if explanation:
        explained[re.sub(r" \(.*\)", "", fact)] = f"{explanation}."
    return fact
