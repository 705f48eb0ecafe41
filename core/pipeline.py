"""The whole way from a picture to an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from . import __version__, detectors
from .classifiers.model import EmotionModel, load_model
from .config import AnalyzerConfig
from .detectors import Detector, DetectorFacts
from .faces.alignment import crop_face, matrix_from_anchors, matrix_from_box
from .faces.quality import assess_quality
from .landmarks import LANDMARK_MODELS, LandmarkModel
from .landmarks.anchors import anchor_points
from .runtime.threads import thread_limit
from .types import (
    AlignedCrop,
    EmotionScores,
    Face,
    FaceAnalysis,
    FaceQuality,
    Float32Array,
    ImageAnalysis,
    Landmarks,
    Provenance,
    RgbImage,
)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """A picture whose faces are ready to be classified; its pixels are no longer needed."""

    name: str
    width: int
    height: int
    faces: tuple[Face, ...]
    """From left to right, their boxes within the picture."""
    crops: tuple[AlignedCrop, ...]
    qualities: tuple[FaceQuality, ...]
    notes: tuple[str, ...]
    elapsed_s: Mapping[str, float]


_loading = Lock()
"""One at a time: libraries set aside Python's warnings while they are imported and while a network
is compiled, for all threads, and would undo one another's."""


class Analyzer:
    """Answers pictures; safe from several threads and free of state between calls.

    Its parts are constructor arguments, so that a test or a study can put in its own;
    :meth:`from_config` builds the real ones.
    """

    def __init__(
        self,
        config: AnalyzerConfig,
        *,
        detector: Detector,
        landmarks: LandmarkModel,
        model: EmotionModel,
        detector_facts: DetectorFacts | None = None,
    ) -> None:
        self.config = config
        self._detector = detector
        self._landmarks = landmarks
        self._model = model
        weights_sha256, manifest_facts = dict(model.weights_sha256), dict(model.manifest_facts)
        if detector_facts is not None:
            weights_sha256.update(detector_facts.weights_sha256)
            manifest_facts["tuned_threshold"] = detector_facts.tuned_threshold
        self._provenance = Provenance(
            version=__version__,
            model=config.model,
            detector=config.chosen_detector,
            landmarks=config.landmarks,
            weights_sha256=weights_sha256,
            config_digest=config.digest(manifest_facts),
        )

    @classmethod
    def from_config(cls, config: AnalyzerConfig | None = None) -> Analyzer:
        """An analyzer with the components that ``config`` names; WeightsError if one is missing."""
        config = config or AnalyzerConfig()
        with _loading, thread_limit(config.threads):
            model = load_model(
                config.model,
                weights_dir=config.weights_dir,
                engine=config.engine,
                device=config.device,
            )
            detector, facts = detectors.load(config)
            landmarks = LANDMARK_MODELS.get(config.landmarks)()
        return cls(
            config, detector=detector, landmarks=landmarks, model=model, detector_facts=facts
        )

    @property
    def provenance(self) -> Provenance:
        """What every answer of this analyzer is made with."""
        return self._provenance

    def analyze(self, image: RgbImage) -> ImageAnalysis:
        """Every face in ``image`` from left to right; no face is a normal answer.

        Raises InferenceError when a network gives no usable value.
        """
        return self.classify([self.prepare(image)])[0]

    def prepare(self, image: RgbImage, faces: Sequence[Face] | None = None) -> PreparedImage:
        """The faces of ``image`` found, cut out and judged; :meth:`classify` gives the answer.

        ``faces`` that are known already are not searched for; landmarks are placed on them anew.
        """
        clock = _Clock()
        faces = self.detect(image) if faces is None else faces
        clock.lap("detect")
        located = self._landmarks.locate(image, faces)
        clock.lap("landmarks")
        return self._make_prepared(image, faces, located, clock)

    def classify(
        self, pictures: Sequence[PreparedImage], *, faces_per_call: int | None = None
    ) -> tuple[ImageAnalysis, ...]:
        """The answer to each of ``pictures``, whose faces are classified together.

        With ``faces_per_call`` the classifier sees exactly so many faces at every call, blank ones
        in the places left over: then no bit of an answer depends on which faces stand beside it.
        Raises InferenceError when a network gives no usable value.
        """
        clock = _Clock()
        crops = [crop for picture in pictures for crop in picture.crops]
        scores, per_model = self._classify(crops, faces_per_call)
        clock.lap("classify")
        share_s = clock.laps["classify"] / max(1, len(pictures))
        answers, start = [], 0
        for picture in pictures:
            end = start + len(picture.faces)
            rows = {name: each[start:end] for name, each in per_model.items()}
            answers.append(
                ImageAnalysis(
                    name=picture.name,
                    width=picture.width,
                    height=picture.height,
                    faces=_face_analyses(picture, scores[start:end], rows),
                    provenance=self._provenance,
                    notes=(*picture.notes, *self._explain_no_faces(picture)),
                    elapsed_s={**picture.elapsed_s, "classify": share_s},
                )
            )
            start = end
        return tuple(answers)

    def detect(self, image: RgbImage) -> tuple[Face, ...]:
        """The faces in ``image`` from left to right, with the detector's own landmarks if any."""
        found = self._detector.detect(image)
        faces = [face for face in found if face.box.clamped(image.width, image.height).area >= 1]
        return tuple(sorted(faces, key=lambda face: (face.box.x1 + face.box.x2, face.box.y1)))

    def analyze_faces(self, image: RgbImage, faces: Sequence[Face]) -> tuple[FaceAnalysis, ...]:
        """The answers for ``faces`` as they are given: nothing is detected, no landmark placed.

        What :meth:`analyze` says of a face comes back when its ``face`` is given; other
        landmarks or another box show what depends on them.
        """
        located = [face.landmarks for face in faces]
        return self.classify([self._make_prepared(image, faces, located, _Clock())])[0].faces

    def _make_prepared(
        self,
        image: RgbImage,
        faces: Sequence[Face],
        located: Sequence[Landmarks | None],
        clock: _Clock,
    ) -> PreparedImage:
        pairs = list(zip(faces, located, strict=True))
        crops = tuple(self.crop(image, face, points) for face, points in pairs)
        clock.lap("align")
        qualities = tuple(assess_quality(image, face.box, points) for face, points in pairs)
        clock.lap("quality")
        return PreparedImage(
            name=image.name,
            width=image.width,
            height=image.height,
            faces=tuple(
                replace(
                    face,
                    box=face.box.clamped(image.width, image.height),
                    landmarks=points or face.landmarks,
                )
                for face, points in pairs
            ),
            crops=crops,
            qualities=qualities,
            notes=image.notes,
            elapsed_s=clock.laps,
        )

    def crop(self, image: RgbImage, face: Face, points: Landmarks | None) -> AlignedCrop:
        """The face in the frame its network was trained on.

        Uses ``points``, else the detector's own landmarks, else the box.
        """
        for landmarks in (points, face.landmarks):
            if landmarks is None:
                continue
            matrix = matrix_from_anchors(anchor_points(landmarks), self._model.frame)
            if matrix is not None:
                return crop_face(image, matrix)
        return crop_face(image, matrix_from_box(face.box))

    def explain(self, analysis: ImageAnalysis) -> tuple[Float32Array, ...]:
        """For each face what drew the network to its top emotion, (48, 48) float32 in 0..1.

        Grad-CAM (Selvaraju et al. 2017), in the coordinates of the face's crop; lay it over
        the photo with :func:`core.output.render.overlay_heatmap`.
        """
        from .explain import gradcam

        return gradcam(
            self.config,
            np.stack([face.crop.pixels for face in analysis.faces])
            if analysis.faces
            else np.zeros((0, 48, 48), np.uint8),
            [face.emotions.top for face in analysis.faces],
        )

    def _explain_no_faces(self, image: PreparedImage) -> tuple[str, ...]:
        """A note when there is no face because of the picture's shape."""
        settings = self.config.settings
        scale = min(1.0, settings.working_px / max(image.width, image.height))
        if image.faces or min(image.width, image.height) * scale >= settings.min_face_px:
            return ()
        smallest = math.ceil(settings.min_face_px / scale)
        size = f"{image.width} x {image.height} pixels"
        return (f"The picture is {size}; only faces of {smallest} px and more are looked for.",)

    def _classify(
        self, crops: Sequence[AlignedCrop], faces_per_call: int | None
    ) -> tuple[tuple[EmotionScores, ...], dict[str, tuple[EmotionScores, ...]]]:
        if not crops:
            return (), {}
        model, level = self._model, self.config.certain_from
        logits = model.member_logits(np.stack([crop.pixels for crop in crops]), faces_per_call)
        per_model = {
            name: model.members[name].calibration.scores(rows, level)
            for name, rows in logits.items()
        }
        return model.calibration.scores(model.combine(logits), level), per_model


def _face_analyses(
    picture: PreparedImage,
    scores: Sequence[EmotionScores],
    per_model: Mapping[str, Sequence[EmotionScores]],
) -> tuple[FaceAnalysis, ...]:
    parts = zip(picture.faces, picture.crops, picture.qualities, strict=True)
    return tuple(
        FaceAnalysis(
            index=index + 1,
            face=face,
            emotions=scores[index],
            per_model={name: rows[index] for name, rows in per_model.items()},
            quality=quality,
            crop=crop,
        )
        for index, (face, crop, quality) in enumerate(parts)
    )


class _Clock:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
