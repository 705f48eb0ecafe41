"""From an image to an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np

from . import __version__, detectors
from .classifiers.model import EmotionModel, load_model
from .config import AnalyzerConfig
from .detectors import Detector, DetectorFacts
from .faces.alignment import crop_face, matrix_from_anchors, matrix_from_box
from .faces.covered import CoverCheck, load_cover_check
from .faces.quality import assess_quality
from .labels import Reading
from .landmarks import LANDMARK_MODELS, LandmarkModel
from .landmarks.anchors import anchor_points
from .runtime.openvino_engine import thread_limit
from .turning import describe_turn, find_turn
from .types import (
    AlignedCrop,
    EmotionScores,
    Face,
    FaceAnalysis,
    FacePart,
    FaceQuality,
    Float32Array,
    ImageAnalysis,
    Landmarks,
    Provenance,
    RgbImage,
)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """An image whose faces are ready to be classified; its pixels are no longer needed."""

    answer: ImageAnalysis
    """The answer so far, without faces."""
    faces: tuple[Face, ...]
    """From left to right, with boxes inside the image."""
    crops: tuple[AlignedCrop, ...]
    qualities: tuple[FaceQuality, ...]


_loading_lock = Lock()
"""Libraries change Python's warning filters for all threads while they are imported and while a
network is compiled, so analyzers are loaded one at a time."""


class Analyzer:
    """Analyzes images; safe from several threads, without state between calls.

    Its components are constructor arguments, so that a test or a study can replace them;
    :meth:`from_config` loads the real ones.
    """

    def __init__(
        self,
        config: AnalyzerConfig,
        *,
        detector: Detector,
        landmarks: LandmarkModel,
        model: EmotionModel,
        cover_check: CoverCheck | None = None,
        detector_facts: DetectorFacts | None = None,
    ) -> None:
        self.config = config
        self._detector = detector
        self._landmarks = landmarks
        self._model = model
        self._cover_check = cover_check
        self._detector_facts = detector_facts
        weights_sha256, manifest_facts = dict(model.weights_sha256), dict(model.manifest_facts)
        if cover_check is not None:
            weights_sha256[cover_check.stored.name] = cover_check.stored.sha256
            manifest_facts["cover_thresholds"] = dict(cover_check.stored.thresholds)
        if detector_facts is not None:
            weights_sha256.update(detector_facts.weights_sha256)
            manifest_facts["tuned_threshold"] = detector_facts.tuned_threshold
        self.provenance = Provenance(
            version=__version__,
            model=config.model,
            detector=config.chosen_detector,
            landmarks=config.landmarks,
            reading=config.reading,
            weights_sha256=weights_sha256,
            config_digest=config.digest(manifest_facts),
        )
        """Components and weights behind every answer of this analyzer."""

    @classmethod
    def from_config(cls, config: AnalyzerConfig | None = None) -> Analyzer:
        """Load the components that ``config`` names; WeightsError if one is missing."""
        config = config or AnalyzerConfig()
        with _loading_lock, thread_limit(config.threads):
            model = load_model(config)
            detector, facts = detectors.load(config)
            landmarks = LANDMARK_MODELS.get(config.landmarks)()
            cover_check = load_cover_check(
                config.weights_dir, engine=config.engine, device=config.device
            )
        return cls(
            config,
            detector=detector,
            landmarks=landmarks,
            model=model,
            cover_check=cover_check,
            detector_facts=facts,
        )

    def with_reading(self, reading: Reading, certain_from: float | None = None) -> Analyzer:
        """Return an analyzer for another reading or level of certainty, with the same networks."""
        config = replace(self.config, reading=reading, certain_from=certain_from)
        if config == self.config:
            return self
        other = copy(self)
        Analyzer.__init__(
            other,
            config,
            detector=self._detector,
            landmarks=self._landmarks,
            model=self._model,
            cover_check=self._cover_check,
            detector_facts=self._detector_facts,
        )
        return other

    def analyze(self, image: RgbImage, *, turn: int | None = None) -> ImageAnalysis:
        """Find and classify every face in ``image``, from left to right; there may be none.

        The image is turned by ``turn`` degrees clockwise, or if that is None, as its faces need it
        to stand upright; all positions are in the turned image. Raises InferenceError if a network
        gives no usable value, ValueError if ``turn`` is not a multiple of 90, TypeError if
        ``image`` is a path or array and no image.
        """
        return self.classify([self.prepare(image, turn=turn)])[0]

    def prepare(
        self,
        image: RgbImage,
        faces: Sequence[Face] | None = None,
        *,
        turn: int | None = None,
    ) -> PreparedImage:
        """Find, crop and assess the faces of ``image``; :meth:`classify` gives the answer.

        With ``faces`` given, none are searched for and the image is not turned; landmarks are
        placed on them again. ``turn`` is that of :meth:`analyze`.
        """
        if not isinstance(image, RgbImage):
            raise TypeError(
                f"expected an RgbImage, got {type(image).__name__}: read a file with "
                "read_image(Path(...)), or use RgbImage.from_array or RgbImage.from_pil"
            )
        clock = _Clock()
        image = image if turn is None else image.turn_to(turn)
        found = self.detect(image) if faces is None else faces
        clock.lap("detect")
        located = self._landmarks.locate(image, found)
        clock.lap("landmarks")
        if faces is None and turn is None:
            degrees = find_turn(image, found, located, detect=self.detect, judge=self._landmarks)
            clock.lap("detect")
            if degrees:
                image = image.turn_to(image.turned + degrees)
                # An image that the caller had turned may be as it was read again.
                notes = (describe_turn(image.turned),) if image.turned else ()
                image = replace(image, notes=(*image.notes, *notes))
                found = self.detect(image)
                clock.lap("detect")
                located = self._landmarks.locate(image, found)
                clock.lap("landmarks")
        return self._crop_and_assess(image, found, located, clock)

    def classify(
        self, prepared_images: Sequence[PreparedImage], *, faces_per_call: int | None = None
    ) -> tuple[ImageAnalysis, ...]:
        """Classify the faces of all ``prepared_images`` together; return one answer for each image.

        With ``faces_per_call`` every call has exactly that many faces, filled up with blank ones:
        then no bit of an answer depends on the faces beside it. Raises InferenceError if a
        network gives no usable value.
        """
        clock = _Clock()
        crops = [crop for image in prepared_images for crop in image.crops]
        scores = iter(self._classify(crops, faces_per_call))
        clock.lap("classify")
        share_s = clock.laps["classify"] / max(1, len(prepared_images))
        answers = []
        for image in prepared_images:
            parts = zip(image.faces, image.crops, image.qualities, strict=True)
            faces = tuple(
                _conclude_face(
                    next(scores),
                    index=index,
                    face=face,
                    reading=self.config.reading,
                    quality=quality,
                    crop=crop,
                )
                for index, (face, crop, quality) in enumerate(parts, start=1)
            )
            answers.append(
                replace(
                    image.answer,
                    faces=faces,
                    notes=(*image.answer.notes, *self._explain_no_faces(image)),
                    elapsed_s={**image.answer.elapsed_s, "classify": share_s},
                )
            )
        return tuple(answers)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """Return the faces in ``image`` from left to right, with the detector's own landmarks."""
        found = self._detector.detect(image)
        faces = [face for face in found if face.box.clip(image.width, image.height).area >= 1]
        return tuple(sorted(faces, key=lambda face: (face.box.x1 + face.box.x2, face.box.y1)))

    def analyze_faces(self, image: RgbImage, faces: Sequence[Face]) -> tuple[FaceAnalysis, ...]:
        """Classify ``faces`` as they are, without detecting anything or placing landmarks.

        A face from :meth:`analyze` gets the same answer again, in the image turned as it was there
        (:meth:`.types.RgbImage.turn_to`); change its landmarks or box to see what depends on them.
        """
        located = [face.landmarks for face in faces]
        return self.classify([self._crop_and_assess(image, faces, located, _Clock())])[0].faces

    def _crop_and_assess(
        self,
        image: RgbImage,
        faces: Sequence[Face],
        located: Sequence[Landmarks | None],
        clock: _Clock,
    ) -> PreparedImage:
        pairs = list(zip(faces, located, strict=True))
        crops = tuple(self.crop(image, face, points) for face, points in pairs)
        clock.lap("align")
        qualities = tuple(
            assess_quality(image, face.box, points, self._find_covered(points, crop))
            for (face, points), crop in zip(pairs, crops, strict=True)
        )
        clock.lap("quality")
        width, height = image.width, image.height
        shown = tuple(
            replace(face, box=face.box.clip(width, height), landmarks=points or face.landmarks)
            for face, points in pairs
        )
        answer = ImageAnalysis(
            image.name, width, height, (), self.provenance, image.notes, image.turned, clock.laps
        )
        return PreparedImage(answer, shown, crops, qualities)

    def crop(self, image: RgbImage, face: Face, points: Landmarks | None) -> AlignedCrop:
        """Align the face to the frame its network was trained on.

        Uses ``points``, else the detector's own landmarks, else the box.
        """
        for landmarks in (points, face.landmarks):
            if landmarks is None:
                continue
            matrix = matrix_from_anchors(anchor_points(landmarks), self._model.frame)
            if matrix is not None:
                return crop_face(image, matrix)
        return crop_face(image, matrix_from_box(face.box))

    def _find_covered(self, points: Landmarks | None, crop: AlignedCrop) -> tuple[FacePart, ...]:
        """Return the covered parts of a face; none without ``points``, where it cannot be read."""
        if self._cover_check is None or points is None:
            return ()
        return self._cover_check.find_covered(crop.pixels)

    def explain(self, analysis: ImageAnalysis) -> tuple[Float32Array, ...]:
        """Return for each face what the network looked at, (48, 48) float32 in 0..1.

        Grad-CAM (Selvaraju et al. 2017) for the top emotion, in coordinates of the face's crop;
        :func:`core.output.render.overlay_heatmap` lays it over the photo.
        """
        from .explain import gradcam

        if not analysis.faces:
            return ()
        crops = np.stack([face.crop.pixels for face in analysis.faces])
        return gradcam(self.config, crops, [face.emotions.top for face in analysis.faces])

    def _explain_no_faces(self, image: PreparedImage) -> tuple[str, ...]:
        """Return a note if the image's shape makes every face too small to be found."""
        settings, sides = self.config.settings, (image.answer.width, image.answer.height)
        scale = min(1.0, settings.working_px / max(sides))
        if image.faces or min(sides) * scale >= settings.min_face_px:
            return ()
        smallest = math.ceil(settings.min_face_px / scale)
        size = f"{sides[0]} x {sides[1]} pixels"
        return (f"The picture is {size}; only faces of {smallest} px and more are looked for.",)

    def _classify(self, crops: Sequence[AlignedCrop], faces_per_call: int | None) -> list[_Scores]:
        """Return the scores of each crop."""
        if not crops:
            return []
        model, shown = self._model, self.config.reading
        logits = model.member_logits(np.stack([crop.pixels for crop in crops]), faces_per_call)
        combined = model.combine(logits)
        # The level in the options is about the shown reading.
        levels = {shown: self.config.certain_from}
        readings = {
            each: model.calibrations[each].scores(combined, each, levels.get(each))
            for each in Reading
        }
        if len(logits) == 1:  # A single network's calibration is the model's.
            per_model = dict.fromkeys(logits, readings[shown])
        else:
            per_model = {
                name: model.members[name].calibrations[shown].scores(rows, shown, levels[shown])
                for name, rows in logits.items()
            }
        return [
            _Scores(
                {each: rows[index] for each, rows in readings.items()},
                {name: rows[index] for name, rows in per_model.items()},
            )
            for index in range(len(crops))
        ]


@dataclass(frozen=True, slots=True)
class _Scores:
    """What the networks say of one face."""

    readings: Mapping[Reading, EmotionScores]
    per_model: Mapping[str, EmotionScores]


def _conclude_face(scores: _Scores, *, quality: FaceQuality, **fields: Any) -> FaceAnalysis:
    """Return the answer for one face: never a certain one if the face cannot be read."""

    def limit(emotions: EmotionScores) -> EmotionScores:
        return replace(emotions, unreadable=quality.unreadable)

    return FaceAnalysis(
        readings={each: limit(emotions) for each, emotions in scores.readings.items()},
        per_model={name: limit(emotions) for name, emotions in scores.per_model.items()},
        quality=quality,
        **fields,
    )


class _Clock:
    """Measures the seconds of each named step, which may come more than once."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = self.laps.get(name, 0.0) + now - self._last
        self._last = now
