"""Measuring the check for covered eyes and mouths, from the photo to the answer.

``covered.json`` holds, for each part that was asked for (null otherwise):

- ``drawn``: by name of the photos, a row for each drawing: ``faces`` on which it was drawn,
  ``found`` of them still found, ``noticed`` of these (something is said to be covered, or eyes and
  mouth are not located), ``named`` (the right part is), and ``certain`` answers. Drawings that
  cover nothing have ``called`` instead: the faces called covered. ``groups`` adds up kinds.
- ``uncovered``: faces of ordinary photos: ``called`` covered, with the ``names`` of their photos.
- ``answers``: what the certain answers for labelled faces are worth when a part is covered: a row
  for each group of drawings, ``certain_accuracy`` being the share of the certain answers that are
  the crowd's first choice if the check were not there.
- ``negatives``: photos without a face: with a ``detection``, with a ``certain`` answer, and which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from core import detectors
from core.classifiers.model import load_model
from core.config import AnalyzerConfig
from core.errors import ConfigError, InputError
from core.faces.boxes import box_iou
from core.faces.covered import load_cover_check
from core.faces.quality import READABLE_PX
from core.files import write_json
from core.landmarks import LANDMARK_MODELS
from core.pipeline import Analyzer
from core.reading.reader import read_in_process
from core.types import Face, FaceAnalysis, ImageAnalysis, RgbImage

from ..data.image_files import iter_image_files
from ..detector.train import is_training_negative
from ..evaluation.intervals import share_with_interval
from .answers import measure_answers
from .photo_drawings import DRAWINGS, Drawing, draw_over

_MOST_DRAWN = 200
"""Photos of one source on which things are drawn, evenly spread over it: each face is then read
again for every drawing."""
_SAME_FACE = 0.3
"""Overlap of a face's boxes before and after something is drawn over it."""
_HARD = "hard_"
"""Beginning of the folders with statues, cartoons and animals: faces in a sense."""


def evaluate_covered(
    directory: Path,
    *,
    photos: Sequence[Path] = (),
    uncovered: Path | None = None,
    faces: Sequence[Path] = (),
    votes: Path | None = None,
    negatives: Path | None = None,
    weights_dir: Path | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Measure what the arguments allow and write ``covered.json``; return it and skipped files.

    On each face of ``photos`` things are drawn. ``uncovered`` are photos whose faces are hardly
    ever covered. ``faces`` are labelled faces, whose validation part is used with ``votes``,
    FER+'s CSV. ``negatives`` are photos without a face. ConfigError if there is nothing to do.
    """
    if not (photos or uncovered or negatives or (faces and votes)):
        raise ConfigError(
            "There is nothing to measure on.",
            hint="Give --photos, --uncovered, --negatives, or --data with --votes.",
        )
    analyzer = _load_analyzer(weights_dir)
    skipped: list[str] = []
    report: dict[str, Any] = {
        "schema_version": 1,
        "preset": str(analyzer.config.preset),
        "sha256": analyzer.provenance.weights_sha256["covered"],
        "drawn": None,
        "uncovered": None,
        "answers": None,
        "negatives": None,
    }
    if photos:
        progress("Drawing over the faces of the photos …")
        report["drawn"] = {
            name: _measure_drawn(analyzer, source, skipped)
            for name, source in name_sources(photos).items()
        }
    if uncovered:
        progress("Reading the photos of uncovered faces …")
        report["uncovered"] = _measure_uncovered(analyzer, uncovered, skipped)
    if faces and votes:
        progress("Drawing over labelled faces …")
        report["answers"] = measure_answers(faces, votes, weights_dir)
    if negatives:
        progress("Reading the photos without a face …")
        report["negatives"] = _measure_negatives(analyzer, negatives, skipped)
    write_json(directory / "covered.json", report)
    return report, tuple(skipped)


def name_sources(sources: Sequence[Path]) -> dict[str, Path]:
    """Return ``sources`` by their names, or by those of their folders where several share one."""
    shared = Counter(source.stem for source in sources)
    return {
        source.stem if shared[source.stem] == 1 else source.resolve().parent.name: source
        for source in sources
    }


def _load_analyzer(weights_dir: Path | None) -> Analyzer:
    """Load the default analyzer with the check in ``weights_dir``; None means the shipped one."""
    config = AnalyzerConfig()
    detector, facts = detectors.load(config)
    return Analyzer(
        config,
        detector=detector,
        landmarks=LANDMARK_MODELS.get(config.landmarks)(),
        model=load_model(config),
        cover_check=load_cover_check(weights_dir),
        detector_facts=facts,
    )


def _iter_photos(
    source: Path, skipped: list[str], chosen: Collection[PurePosixPath] | None = None
) -> Iterator[tuple[PurePosixPath, RgbImage]]:
    """Yield path and upright picture of every readable photo, or of the ``chosen`` ones."""
    for path, read in iter_image_files(source):
        if chosen is not None and path not in chosen:
            continue
        try:
            yield path, read_in_process(read(), name=path.name)
        except InputError as error:
            skipped.append(f"{path}: {error.message}")


def _measure_drawn(analyzer: Analyzer, photos: Path, skipped: list[str]) -> dict[str, Any]:
    counts: dict[Drawing, Counter[str]] = {drawing: Counter() for drawing in DRAWINGS}
    count = 0
    files = [path for path, _ in iter_image_files(photos)]
    chosen = set(files[:: max(1, len(files) // _MOST_DRAWN)])
    for _, image in _iter_photos(photos, skipped, chosen):
        count += 1
        for answer in analyzer.analyze(image).faces:
            if is_plain(answer):
                for drawing, counter in counts.items():
                    counter.update(_judge_drawn(analyzer, image, answer.face, drawing))
    rows = [
        {"name": drawing.name, "group": drawing.group, **_describe(drawing, counter)}
        for drawing, counter in counts.items()
    ]
    groups = {}
    for group in dict.fromkeys(drawing.group for drawing in DRAWINGS):
        own = [drawing for drawing in DRAWINGS if drawing.group == group]
        total: Counter[str] = sum((counts[drawing] for drawing in own), Counter())
        groups[group] = _describe(own[0], total)
    return {"photos": count, "rows": rows, "groups": groups}


def is_plain(answer: FaceAnalysis) -> bool:
    """Return whether a face is located, large enough, and not covered before anything is drawn."""
    quality = answer.quality
    return quality.yaw is not None and quality.size_px >= READABLE_PX and not quality.covered


def _judge_drawn(analyzer: Analyzer, image: RgbImage, face: Face, drawing: Drawing) -> Counter[str]:
    """Return what holds of a face over which something is drawn, each once."""
    found = Counter(faces=1)
    if face.landmarks is None:
        return found
    answers = analyzer.analyze(draw_over(image, face.landmarks.points, drawing)).faces
    answer = max(answers, key=lambda each: box_iou(each.face.box, face.box), default=None)
    if answer is None or box_iou(answer.face.box, face.box) < _SAME_FACE:
        return found
    quality = answer.quality
    found["found"] = 1
    found["located"] = int(quality.yaw is not None)
    found["called"] = int(bool(quality.covered))
    found["noticed"] = int(bool(quality.covered) or quality.yaw is None)
    found["named"] = int(set(drawing.covers) <= set(quality.covered))
    found["certain"] = int(answer.emotions.certain)
    return found


def _describe(drawing: Drawing, counter: Counter[str]) -> dict[str, Any]:
    row: dict[str, Any] = {name: counter[name] for name in ("faces", "found", "located", "certain")}
    for name in ("noticed", "named") if drawing.covers else ("called",):
        row[name] = counter[name]
        row |= share_with_interval(f"{name}_share", counter[name], counter["found"])
    return row


def _measure_uncovered(analyzer: Analyzer, photos: Path, skipped: list[str]) -> dict[str, Any]:
    count, faces, unlocated = 0, 0, 0
    names: dict[str, list[str]] = {}
    for path, image in _iter_photos(photos, skipped):
        count += 1
        for answer in analyzer.analyze(image).faces:
            faces += 1
            unlocated += answer.quality.yaw is None
            if answer.quality.covered:
                names.setdefault(str(path), []).extend(map(str, answer.quality.covered))
    return {
        "data": photos.name,
        "photos": count,
        "faces": faces,
        "unlocated": unlocated,
        "called": len(names),
        **share_with_interval("called_share", len(names), faces),
        "names": names,
    }


def _measure_negatives(analyzer: Analyzer, photos: Path, skipped: list[str]) -> dict[str, Any]:
    groups: dict[str, Counter[str]] = {"hard": Counter(), "others": Counter()}
    certain: list[str] = []
    for path, image in _iter_photos(photos, skipped):
        analysis = analyzer.analyze(image)
        is_certain = any(face.emotions.certain for face in analysis.faces)
        counter = groups["hard" if is_hard_negative(path) else "others"]
        counter.update(_count_negative(path, analysis, is_certain))
        if is_certain:
            certain.append(str(path))
    names = ("photos", "held_out", "detection", "certain", "certain_held_out")
    return {
        "data": photos.name,
        **{kind: {name: counter[name] for name in names} for kind, counter in groups.items()},
        "names": certain,
    }


def is_hard_negative(path: PurePosixPath) -> bool:
    """Return whether a photo without a face shows a statue, a cartoon or an animal."""
    return path.parent.name.startswith(_HARD)


def _count_negative(
    path: PurePosixPath, analysis: ImageAnalysis, is_certain: bool
) -> Mapping[str, int]:
    held_out = not is_training_negative(path.name)
    return {
        "photos": 1,
        "held_out": int(held_out),
        "detection": int(bool(analysis.faces)),
        "certain": int(is_certain),
        "certain_held_out": int(is_certain and held_out),
    }
