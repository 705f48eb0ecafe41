"""How both fronts put an answer into words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core import (
    MODEL_TITLES,
    Agreement,
    Emotion,
    EmotionScores,
    FaceAnalysis,
    ImageAnalysis,
    ModelInfo,
    Reading,
    format_probability,
)

if TYPE_CHECKING:
    from .films import FilmJob

INTRODUCTION = (
    "Every face gets a frame, a number and an answer: how many people would say that it looks "
    "angry, disgusted, afraid, happy, sad, surprised or neutral."
)

_LOOKS = {
    Emotion.ANGRY: "angry",
    Emotion.DISGUST: "disgusted",
    Emotion.FEAR: "afraid",
    Emotion.HAPPY: "happy",
    Emotion.SAD: "sad",
    Emotion.SURPRISE: "surprised",
    Emotion.NEUTRAL: "neutral",
}
"""How a person looks."""

FILM_HELP = (
    "Every face in a film gets a frame and a number, and you see when it showed which emotion. "
    "Nobody can see in a face what the person feels. Use films of people who have agreed."
)
CANCELLED_FILM = "Cancelled. The film and everything read from it are deleted."

_LONGEST_NAME = 60
"""Characters of a file name that fit a phone's width in two lines."""

NOT_SURE = "Not sure"
NOTHING_TRAINED = "No network is trained on this computer yet, so no photo can be analyzed."
NO_FACE = "No face was found in this photo."
NO_FACE_HELP = (
    "The face may be too small, too dark, blurred or turned away. Try a larger or sharper photo, "
    "or choose **Thorough** in the settings, which looks for smaller faces. If the photo lies on "
    "its side, turn it."
)
TURN_HELP = (
    "Turns the photo a quarter clockwise and reads it again. Photos whose faces are not upright "
    "are usually turned automatically."
)


def format_emotion(emotion: Emotion) -> str:
    """Return the emotion's name with a capital letter."""
    return emotion.value.capitalize()


def format_answer(emotions: EmotionScores) -> str:
    """Return the answer in one or two words: an emotion, or "not sure"."""
    return format_emotion(emotions.top) if emotions.certain else NOT_SURE


def explain_share(emotions: EmotionScores) -> str:
    """Return what the number beside the longest bar means."""
    top, probability = emotions.ranked()[0]
    number = f"{format_probability(probability)} {top}"
    # Nobody can promise all of a hundred.
    count = f"about {100 * probability:.0f}" if probability < 0.995 else "nearly all"
    if emotions.reading is Reading.FER2013:
        return (
            f"{number} means: of 100 faces that get this number, {count} are labelled {top} in "
            "FER-2013."
        )
    return f"{number} means: of 100 people who look at this face, {count} would say {top}."


def format_agreement(face: FaceAnalysis) -> str:
    """Return how far the networks of an ensemble agree; empty if a single one answered."""
    if face.agreement is None:
        return ""
    count = len(face.per_model)
    top, most = Counter(scores.top for scores in face.per_model.values()).most_common(1)[0]
    unsure = sum(not scores.certain for scores in face.per_model.values())
    if unsure == 0:
        return {
            Agreement.ALL: f"All {count} networks agree",
            Agreement.MAJORITY: f"{most} of {count} networks say {top.value}",
            Agreement.SPLIT: "The networks disagree",
        }[face.agreement]
    doubt = {1: "1 is not sure", count: "none is sure"}.get(unsure, f"{unsure} are not sure")
    found = {
        Agreement.ALL: f"All {count} networks find {top.value} most likely",
        Agreement.MAJORITY: f"{most} of {count} networks find {top.value} most likely",
        Agreement.SPLIT: "The networks disagree",
    }[face.agreement]
    return f"{found}; {doubt}"


def format_face(face: FaceAnalysis) -> str:
    """Return the answer for one face in one line."""
    top, probability = face.emotions.ranked()[0]
    if face.emotions.certain:
        return f"{format_emotion(top)}, {format_probability(probability)}"
    return f"Not sure (most likely: {top.value}, {format_probability(probability)})"


def format_tile(face: FaceAnalysis) -> str:
    """Return what a tile says below the answer: "98 %", or "sad? 40 %" if it is not sure."""
    top, probability = face.emotions.ranked()[0]
    share = format_probability(probability)
    return share if face.emotions.certain else f"{top.value}? {share}"


def describe_group(faces: Sequence[FaceAnalysis]) -> str:
    """Return what several faces show, in a sentence: "Most of these 55 people look happy."."""
    total = len(faces)
    counts = Counter(face.emotions.top for face in faces if face.emotions.certain)
    unsure = total - sum(counts.values())
    people, look = f"these {total} people", "look"
    words: Mapping[Emotion, str] = _LOOKS
    if faces[0].reading is Reading.FER2013:
        people, look = f"these {total} faces", "would be labelled"
        words = {emotion: emotion.value for emotion in Emotion}
    if not counts:
        return f"None of the {total} answers is sure."
    ((first, most), *others) = counts.most_common(3)
    if 2 * most > total:
        return f"{'All' if most == total else 'Most'} of {people} {look} {words[first]}."
    if 2 * unsure > total:
        return f"Most of the {total} answers are not sure."
    named = [f"{most} of {people} {look} {words[first]}"]
    named += [f"{count} {words[emotion]}" for emotion, count in others]
    if other := total - unsure - most - sum(count for _, count in others):
        named.append(f"{other} something else")
    *start, last = named
    sentence = f"{', '.join(start)} and {last}" if start else last
    answers = "1 answer is" if unsure == 1 else f"{unsure} answers are"
    return f"{sentence}; {answers} not sure." if unsure else f"{sentence}."


def describe_faces(analysis: ImageAnalysis) -> str:
    """Return all answers as a sentence, such as ``Face 1: happy, 98 %. Face 2: sad, 61 %``."""
    texts = ((face.index, format_face(face)) for face in analysis.faces)
    return ". ".join(f"Face {index}: {text[0].lower()}{text[1:]}" for index, text in texts)


def format_face_count(count: int) -> str:
    """Return the number of faces in words."""
    return {0: "No face", 1: "1 face"}.get(count, f"{count} faces")


def describe_progress(job: FilmJob) -> str:
    """Return how far a film is and how long it still takes."""
    if job.state == "waiting":
        return "Getting ready. Other visitors' films may be read first."
    read = f"{100 * job.done:.0f} % read"
    return read if job.left_s is None else f"{read}, {describe_duration(job.left_s)} left"


def describe_duration(seconds: float) -> str:
    """Return a time that is not known exactly, such as "about 12 min"."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"


def model_title(info: ModelInfo) -> str:
    """Return a model's name as its authors write it."""
    return MODEL_TITLES.get(info.name, info.name)


def format_model_metrics(info: ModelInfo, reading: Reading = Reading.PEOPLE) -> str:
    """Return how good a model is at ``reading`` and how fast; empty if neither was measured."""
    measured = info.metrics.get("validation", {})
    accuracy = measured.get("accuracy")
    agreement = measured.get("people", {}).get("agreement")
    per_face = info.speed.get("engines", {}).get("openvino", {}).get("ms_per_face")
    parts = []
    if reading is Reading.PEOPLE and agreement is not None:
        parts.append(f"Agrees with most people on {100 * agreement:.0f} of 100 test faces")
    elif accuracy is not None:
        parts.append(f"Right on {100 * accuracy:.0f} of 100 test faces")
    if per_face is not None:
        parts.append("very fast" if per_face < 8 else "fast" if per_face < 30 else "slower")
    return "; ".join(parts)


def display_name(name: str) -> str:
    """Return a file name safe to show: invisible and direction-changing characters are spelled."""
    spelled = "".join(
        f"\\u{{{ord(character):x}}}" if unicodedata.category(character)[0] == "C" else character
        for character in name
    )
    if len(spelled) <= _LONGEST_NAME:
        return spelled
    return f"{spelled[: _LONGEST_NAME - 16]}…{spelled[-15:]}"


def keep_units(text: str) -> str:
    """Return the text with no line break between a number and its "%" or "px"."""
    return re.sub(r"(?<=\d) (?=%|px\b)", "\u00a0", text)


def last_part(name: str) -> str:
    """Return a file name without its folders, whatever system it comes from."""
    return re.split(r"[/\\]", name)[-1]


def safe_stem(name: str) -> str:
    """Return a file name without folder, ending or risky characters, for files we offer."""
    stem = last_part(name)
    stem = stem.rpartition(".")[0] or stem
    stem = re.sub(r"[^\w-]+", "_", unicodedata.normalize("NFC", stem)).strip("_-")
    return stem[:80] or "photo"


def unlink(markdown: str) -> str:
    """Replace links to other files, which lead nowhere in a front, by their words."""
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?://)[^)]+\)", r"\1", markdown)


def escape_markdown(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~:$&])", r"\\\1", text)
