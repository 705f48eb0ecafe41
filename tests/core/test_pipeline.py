"""The pipeline with fakes: order, numbers, fallbacks, provenance, threads, memory."""

from __future__ import annotations

import gc
import re
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from core import (
    Analyzer,
    AnalyzerConfig,
    Box,
    Emotion,
    Face,
    InferenceError,
    Landmarks,
    Reading,
    RgbImage,
    WeightsMissing,
    __version__,
    document,
)
from core.calibration import Calibration
from core.classifiers.model import EmotionModel, load_model
from core.config import PRESETS, Device, Engine, Preset
from core.faces.alignment import FaceFrame, matrix_from_anchors, matrix_from_box
from core.landmarks.anchors import anchor_points
from tests.core.pipeline_parts import BrightnessClassifier, analyzer, five_points


def picture(width=200, height=100, **more):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[...] = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    return RgbImage(pixels, "picture.png", **more)


def face(x, y=20, side=40, landmarks=None, score=0.95):
    return Face(Box(x, y, x + side, y + side), score, landmarks)


def test_picture_without_faces_has_an_empty_answer():
    answer = analyzer().analyze(picture())
    assert answer.faces == ()
    assert (answer.name, answer.width, answer.height) == ("picture.png", 200, 100)
    assert answer.notes == ()


def test_faces_are_numbered_from_left_to_right():
    answer = analyzer(face(120), face(10), face(60, side=20), face(60, side=20, y=5)).analyze(
        picture()
    )
    assert [each.index for each in answer.faces] == [1, 2, 3, 4]
    assert [(each.face.box.x1, each.face.box.y1) for each in answer.faces] == [
        (10, 20),
        (60, 5),
        (60, 20),
        (120, 20),
    ]


def test_every_face_keeps_its_own_answer():
    # The picture, and with it the crops, gets brighter to the right.
    answer = analyzer(face(150), face(0), face(80)).analyze(picture())
    happy = [each.emotions[Emotion.HAPPY] for each in answer.faces]
    assert happy == sorted(happy)
    assert happy[0] < happy[1] < happy[2]
    brightness = [each.quality.brightness for each in answer.faces]
    assert brightness == sorted(brightness)


@pytest.mark.parametrize(
    "box",
    [
        Box(-50, 10, -1, 40),
        Box(200, 10, 260, 40),
        Box(10, 100, 40, 140),
        Box(30, 30, 30, 60),
        Box(30, 30, 30.5, 31),
        Box(60, 60, 30, 30),
        Box(float("nan"), 10, 40, 40),
    ],
    ids=["left", "right", "below", "no width", "less than a pixel", "inside out", "NaN"],
)
def test_face_outside_the_picture_is_dropped(box):
    answer = analyzer(Face(box, 0.9), face(100)).analyze(picture())
    assert [(each.index, each.face.box.x1) for each in answer.faces] == [(1, 100)]


def test_box_is_clamped_but_quality_is_judged_by_the_whole_box():
    answer = analyzer(face(-20), face(180)).analyze(picture())
    assert [each.face.box for each in answer.faces] == [Box(0, 20, 20, 60), Box(180, 20, 200, 60)]
    for each in answer.faces:
        assert "The face is cut off by the edge of the picture." in each.quality.reasons
        assert each.quality.size_px == 40


def test_landmarks_decide_how_a_face_is_cropped():
    points = five_points(60, 20, 1.5)
    answer = analyzer(face(10, landmarks=five_points(10, 5)), landmarks=points).analyze(picture())
    expected = matrix_from_anchors(anchor_points(points), FaceFrame())
    assert answer.faces[0].crop.matrix == pytest.approx(expected)
    assert answer.faces[0].face.landmarks is points


def test_detector_points_are_used_if_landmarks_are_missing():
    points = five_points(20, 10, 1.2)
    answer = analyzer(face(10, landmarks=points)).analyze(picture())
    expected = matrix_from_anchors(anchor_points(points), FaceFrame())
    assert answer.faces[0].crop.matrix == pytest.approx(expected)
    assert answer.faces[0].face.landmarks is points
    assert any("could not be located" in each for each in answer.faces[0].quality.reasons)


@pytest.mark.parametrize(
    "useless", [None, Landmarks(np.zeros((5, 2)), "five_points")], ids=["none", "one point"]
)
def test_box_is_used_if_no_points_are_usable(useless):
    answer = analyzer(face(30, landmarks=useless), landmarks=useless).analyze(picture())
    assert answer.faces[0].crop.matrix == pytest.approx(matrix_from_box(Box(30, 20, 70, 60)))


def test_detected_faces_can_be_analyzed_separately():
    made = analyzer(
        Face(Box(60, 0, 100, 40), 0.9, five_points(60, 0)),
        Face(Box(0, 0, 48, 48), 0.8, five_points()),
        landmarks=five_points(2, 2),
    )
    image = picture()
    assert [face.box.x1 for face in made.detect(image)] == [0, 60]
    analysis = made.analyze(image)
    again = made.analyze_faces(image, [each.face for each in analysis.faces])
    for first, second in zip(analysis.faces, again, strict=True):
        assert (first.index, first.emotions, first.quality) == (
            second.index,
            second.emotions,
            second.quality,
        )
        np.testing.assert_array_equal(first.crop.pixels, second.crop.pixels)


def test_other_landmarks_give_another_crop():
    made = analyzer(Face(Box(0, 0, 48, 48), 0.8, five_points()))
    image = picture()
    face = made.analyze(image).faces[0].face
    moved = replace(face, landmarks=five_points(10, 6))
    (answer,) = made.analyze_faces(image, [moved])
    assert answer.face.landmarks is moved.landmarks
    assert not np.array_equal(answer.crop.pixels, made.analyze_faces(image, [face])[0].crop.pixels)
    assert made.analyze_faces(image, []) == ()


def test_notes_of_the_reader_are_in_the_answer():
    answer = analyzer(face(10)).analyze(picture(notes=("First of several frames.",)))
    assert answer.notes == ("First of several frames.",)


@pytest.mark.parametrize(
    ("size_wh", "preset", "smallest"),
    [((1, 1), Preset.BALANCED, 8), ((300, 6), Preset.FAST, 8), ((4000, 60), Preset.FAST, 84)],
)
def test_picture_too_narrow_for_any_face_gets_a_note(size_wh, preset, smallest):
    answer = analyzer(preset=preset).analyze(picture(*size_wh))
    (note,) = answer.notes
    assert note == (
        f"The picture is {size_wh[0]} x {size_wh[1]} pixels; "
        f"only faces of {smallest} px and more are looked for."
    )
    assert PRESETS[preset].min_face_px <= smallest


def test_faces_of_one_picture_are_classified_in_one_call():
    classifier = BrightnessClassifier()
    answer = analyzer(face(0), face(60), face(120), classifier=classifier).analyze(picture())
    assert len(classifier.seen) == 3
    for seen, each in zip(classifier.seen, answer.faces, strict=True):
        assert (seen == each.crop.pixels).all()


def test_calibration_and_level_are_those_of_the_model():
    calibration = Calibration(temperature=4.0, certain_from=0.9)
    points = five_points(60, 20, 40 / 48)
    (plain,) = analyzer(face(60), landmarks=points).analyze(picture()).faces
    (calm,) = analyzer(face(60), landmarks=points, calibration=calibration).analyze(picture()).faces
    assert calm.emotions[Emotion.HAPPY] < plain.emotions[Emotion.HAPPY]
    assert not calm.emotions.certain
    (lowered,) = (
        analyzer(face(60), landmarks=points, calibration=calibration, certain_from=0.1)
        .analyze(picture())
        .faces
    )
    assert lowered.emotions.certain
    assert lowered.per_model == {"mobilenet_v2": lowered.emotions}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_output_that_is_not_a_number_is_an_error(value):
    broken = analyzer(face(10), classifier=BrightnessClassifier(value))
    with pytest.raises(InferenceError):
        broken.analyze(picture())


def test_provenance_names_components_and_weights():
    provenance = analyzer(model="mobilenet_v2", preset="fast").analyze(picture()).provenance
    assert provenance.version == __version__
    assert (provenance.model, provenance.detector, provenance.landmarks) == (
        "mobilenet_v2",
        PRESETS[Preset.FAST].detector,
        "face_mesh",
    )
    assert provenance.weights_sha256 == {"mobilenet_v2": "ab" * 32}
    assert re.fullmatch("[0-9a-f]{12}", provenance.config_digest)
    assert provenance.config_digest != analyzer().analyze(picture()).provenance.config_digest


def test_provenance_changes_with_the_calibration():
    def digest(**facts):
        made = Analyzer(
            AnalyzerConfig(),
            detector=None,
            landmarks=None,
            model=EmotionModel.from_single_classifier(
                "bright", BrightnessClassifier(), Calibration(), facts
            ),
        )
        return made.provenance.config_digest

    assert digest(calibration={"temperature": 1.0}) != digest(calibration={"temperature": 1.1})
    assert digest(calibration={"temperature": 1.0}) == digest(calibration={"temperature": 1.0})


def test_time_is_measured_for_every_stage():
    elapsed = analyzer(face(10)).analyze(picture()).elapsed_s
    assert list(elapsed) == ["detect", "landmarks", "align", "quality", "classify"]
    assert all(0 <= seconds < 60 for seconds in elapsed.values())


def test_faces_of_several_pictures_share_a_call_and_get_the_same_answers():
    classifier = BrightnessClassifier()
    made = analyzer(face(150), face(10), classifier=classifier)
    images = [picture(200), picture(240), RgbImage(np.zeros((9, 9, 3), np.uint8)), picture(280)]
    alone = [document(made.analyze(image)) for image in images]
    together = made.classify([made.prepare(image) for image in images])
    assert [document(each) for each in together] == alone
    assert len(classifier.seen) == sum(len(each["faces"]) for each in alone) > 4


def test_calls_of_fixed_size_are_padded_with_blank_faces():
    classifier = BrightnessClassifier()
    made = analyzer(face(150), face(10), face(80), classifier=classifier)
    examined = [made.prepare(picture(200)), made.prepare(picture(240))]
    sizes = []
    logits = classifier.logits
    classifier.logits = lambda crops: (sizes.append(len(crops)), logits(crops))[1]
    (first, second) = made.classify(examined, faces_per_call=4)
    assert sizes == [4, 4]
    assert [len(first.faces), len(second.faces)] == [3, 3]
    assert document(first) == document(made.analyze(picture(200)))
    assert made.classify([], faces_per_call=4) == ()


def test_calls_of_fixed_size_give_bitwise_equal_answers(weights_dir, photo):
    made = analyzer(*(Face(Box(150.0 + x, 50.0, 260.0 + x, 180.0), 0.9) for x in (0, 20, 40)))
    made._model = load_model(AnalyzerConfig(weights_dir=weights_dir, device=Device.CPU))
    turned = RgbImage(photo.pixels[:, ::-1], "turned.png")
    examined = [made.prepare(photo), made.prepare(turned), made.prepare(photo)]

    def answers(*groups):
        analyses = [each for group in groups for each in made.classify(group, faces_per_call=4)]
        return [face.emotions.probabilities for each in analyses for face in each.faces]

    together = answers(examined)
    assert answers(*([each] for each in examined)) == together
    assert answers(examined[:2], examined[2:]) == together
    assert answers(examined[::-1])[-3:] == together[:3]
    alone = [face.emotions.probabilities for face in made.analyze(photo).faces]
    assert np.abs(np.array(alone) - together[:3]).max() < 1e-6


def test_picture_is_not_changed():
    image = picture()
    before = image.pixels.copy()
    analyzer(face(10), face(-5), landmarks=five_points(10, 10)).analyze(image)
    assert (image.pixels == before).all()


def test_eight_threads_get_the_same_answers():
    made = analyzer(face(150), face(-10), face(80), landmarks=None)
    images = [picture(200 + 10 * step, 100) for step in range(8)] * 5
    alone = [document(made.analyze(image)) for image in images[:8]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda image: document(made.analyze(image)), images))
    assert together == alone * 5


def test_memory_does_not_grow_over_many_calls():
    made, image = analyzer(face(10), face(80, landmarks=five_points(80, 20))), picture()
    for _ in range(20):
        made.analyze(image)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(200):
            made.analyze(image)
        gc.collect()
        grown, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two crops are 4.6 kB, so 200 stored answers would be nearly 1 MB.
    assert grown < 50_000


def test_single_network_is_loaded_with_its_manifest_entry(weights_dir):
    model = load_model(AnalyzerConfig(model="resnet50", weights_dir=weights_dir))
    assert model.calibrations == {
        Reading.PEOPLE: Calibration(1.25, 0.4, crowd_share=0.75),
        Reading.FER2013: Calibration(1.25, 0.4),
    }
    assert list(model.weights_sha256) == ["resnet50"]
    assert model.manifest_facts["preprocessing"] == {"input_px": 48, "mean": 0.5, "std": 0.25}


@pytest.fixture(scope="module")
def together(weights_dir):
    """The ensemble of three random networks, with fake detector and landmarks."""
    made = analyzer(face(20), face(90), model="ensemble", reading="fer2013")
    made._model = load_model(
        AnalyzerConfig(model="ensemble", weights_dir=weights_dir, engine=Engine.TORCH)
    )
    return made


def test_ensemble_gives_the_answers_of_its_members(together):
    members = ["mobilenet_v2", "resnet50", "inception_v3"]
    assert list(together._model.weights_sha256) == members
    for each in together.analyze(picture()).faces:
        assert list(each.per_model) == members
        assert len({answer.probabilities for answer in each.per_model.values()}) == 3
        assert [answer.certain_from for answer in each.per_model.values()] == [0.4] * 3
        assert each.emotions.certain_from == 0.45


def test_ensemble_calibrates_the_mean_of_its_members(together):
    for each in together.analyze(picture()).faces:
        mean = np.zeros(7)
        for answer, share in zip(each.per_model.values(), (0.5, 0.3, 0.2), strict=True):
            mean += share * np.array(answer.probabilities)
        expected = mean ** (1 / 0.8)
        assert each.emotions.probabilities == pytest.approx(expected / expected.sum(), abs=1e-5)


def test_analyzers_are_loaded_one_at_a_time(monkeypatch, tmp_path):
    loading, most = [], []

    def load(name, **_options):
        loading.append(name)
        time.sleep(0.05)
        most.append(len(loading))
        loading.pop()
        raise WeightsMissing("none", hint="none")

    monkeypatch.setattr("core.pipeline.load_model", load)

    def made(_number):
        with pytest.raises(WeightsMissing):
            Analyzer.from_config(AnalyzerConfig(weights_dir=tmp_path))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(made, range(4)))
    assert most == [1, 1, 1, 1]


def test_missing_model_is_reported_before_anything_else_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr("core.pipeline.detectors.load", None)
    with pytest.raises(WeightsMissing):
        Analyzer.from_config(AnalyzerConfig(weights_dir=tmp_path))


def test_model_registered_from_outside_counts_as_calibrated(monkeypatch):
    from core.classifiers import CLASSIFIERS

    theirs = BrightnessClassifier()
    monkeypatch.setitem(CLASSIFIERS._factories, "theirs", lambda *_names, **_options: theirs)
    model = load_model(AnalyzerConfig(model="theirs"))
    assert model.members["theirs"].classifier is theirs
    assert model.calibrations == {
        Reading.PEOPLE: Calibration(crowd_share=1),
        Reading.FER2013: Calibration(),
    }
    assert dict(model.weights_sha256) == {}
