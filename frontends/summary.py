"""How often each answer was given over many faces, as HTML that both fronts can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from core import EMOTIONS, FaceAnalysis

from .wording import format_emotion

NOT_SURE = "Not sure"


def summary_html(faces: Iterable[FaceAnalysis]) -> str:
    """A bar for each of the seven emotions and one for "not sure"; no face, no text."""
    answers = [face.emotions.top if face.emotions.certain else None for face in faces]
    counts = Counter(answers)
    most = max(counts.values(), default=0)
    if not most:
        return ""
    bars = [
        _bar(format_emotion(each), counts[each], most, "rgb({},{},{})".format(*each.colour))
        for each in EMOTIONS
    ]
    bars.append(_bar(NOT_SURE, counts[None], most, "transparent"))
    return (
        '<div class="faces summary"><figure class="face">'
        f"<figcaption>Answers for {len(answers)} faces</figcaption>"
        f'<ul class="face-bars">{"".join(bars)}</ul></figure></div>'
    )


def _bar(word: str, count: int, most: int, colour: str) -> str:
    # A number of words reads well to everyone; the bar and its colour only repeat it.
    bar = f'<i style="width:{100 * count / most:.1f}%;background:{colour}"></i>' if count else ""
    return (
        f'<li><span class="word">{word}</span><span class="track" aria-hidden="true">{bar}</span>'
        f'<span class="value">{count}</span></li>'
    )
