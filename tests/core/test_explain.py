"""Grad-CAM gives one map in 0..1 per face, for every architecture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM

from core import EMOTIONS, AnalyzerConfig, ConfigError, Emotion
from core.calibration import CROWD_HEAD, LABEL_HEAD
from core.classifiers import ARCHITECTURES
from core.classifiers.architectures import build_network
from core.explain import EXPLAINED_BLOCKS, gradcam
from core.weights import read_spec
from tests.core.pipeline_parts import analyzer, image_analysis
from training.learning.export import export_network, update_model


@pytest.fixture(params=[*ARCHITECTURES, "ensemble"])
def config(request, weights_dir):
    return AnalyzerConfig(model=request.param, weights_dir=weights_dir)


def happy(count):
    return [Emotion.HAPPY] * count


def test_no_faces_have_no_maps(config):
    assert gradcam(config, np.zeros((0, 48, 48), np.uint8), []) == ()


def test_each_face_has_a_map_from_0_to_1(config, faces48):
    maps = gradcam(config, faces48[:3], [Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY])
    assert len(maps) == 3
    for each in maps:
        assert (each.shape, each.dtype) == ((48, 48), np.float32)
        assert each.min() >= 0
        assert each.max() <= 1 + 1e-6
        assert each.max() - each.min() > 0.2


def test_map_depends_on_the_face_and_the_emotion(weights_dir, faces48):
    config = AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir)
    one, other = gradcam(config, faces48[:2], happy(2))
    assert np.abs(one - other).max() > 0.1
    maps = [gradcam(config, faces48[:1], [emotion])[0] for emotion in EMOTIONS]
    assert len({each.tobytes() for each in maps}) > 4


def test_mirrored_face_has_the_mirrored_map(config, faces48):
    (heat,) = gradcam(config, faces48[:1], happy(1))
    (mirrored,) = gradcam(config, np.ascontiguousarray(faces48[:1, :, ::-1]), happy(1))
    assert np.abs(mirrored - heat[:, ::-1]).max() < 0.02


def test_order_of_the_faces_is_kept(weights_dir, faces48):
    config = AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir)
    forward = gradcam(config, faces48[:4], EMOTIONS[:4])
    backward = gradcam(config, faces48[3::-1], EMOTIONS[3::-1])
    assert np.abs(np.array(forward) - np.array(backward[::-1])).max() < 1e-3


def test_more_faces_than_one_batch_are_explained(weights_dir, faces48, monkeypatch):
    monkeypatch.setattr("core.explain.BATCH", 5)
    config = AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir)
    emotions = [EMOTIONS[index % 7] for index in range(len(faces48))]
    apart = gradcam(config, faces48, emotions)
    monkeypatch.setattr("core.explain.BATCH", 50)
    assert np.abs(np.array(apart) - gradcam(config, faces48, emotions)).max() < 1e-3


def test_ensemble_s_map_is_the_mean_of_its_members_by_share(weights_dir, faces48):
    shares = {"mobilenet_v2": 0.5, "resnet50": 0.3, "inception_v3": 0.2}
    expected = sum(
        share
        * gradcam(AnalyzerConfig(model=name, weights_dir=weights_dir), faces48[:1], happy(1))[0]
        for name, share in shares.items()
    )
    config = AnalyzerConfig(model="ensemble", weights_dir=weights_dir)
    assert gradcam(config, faces48[:1], happy(1))[0] == pytest.approx(expected, abs=1e-4)


def test_only_one_explanation_runs_at_a_time(weights_dir, faces48):
    config = AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir)
    alone = [gradcam(config, faces48[i : i + 1], happy(1))[0] for i in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(
            lambda i: gradcam(config, faces48[i : i + 1], happy(1))[0], [0, 1, 2, 3] * 3
        )
        for index, each in enumerate(made):
            assert np.abs(each - alone[index % 4]).max() < 1e-3


def test_explaining_prints_nothing(weights_dir, faces48, capfd):
    gradcam(AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir), faces48[:1], happy(1))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("crowd", [True, False])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_maps_are_those_of_the_grad_cam_library(name, crowd, weights_dir, tmp_path, faces48):
    spec = read_spec(name, weights_dir)
    network = build_network(name, spec.load())
    if not crowd:
        network.crowd = None
    export_network(
        network,
        tmp_path,
        name=name,
        preprocessing=spec.preprocessing,
        frame=spec.frame,
        training={},
    )
    share = 0.75 if crowd else 0.0
    calibration = {"temperature": 1.0, "certain_from": 0.4, "crowd_share": share}
    calibrations = dict.fromkeys(("people", "fer2013"), calibration)
    update_model(tmp_path, name, {"calibrations": calibrations})
    emotions = [EMOTIONS[index % len(EMOTIONS)] for index in range(8)]
    expected = maps_of_the_library(
        build_network(name, read_spec(name, tmp_path).load()),
        spec.preprocessing(faces48[:8]),
        EXPLAINED_BLOCKS[name],
        [(EMOTIONS.index(emotion), share) for emotion in emotions],
    )
    found = gradcam(AnalyzerConfig(model=name, weights_dir=tmp_path), faces48[:8], emotions)
    assert np.stack(found) == pytest.approx(expected, abs=1e-3)
    assert np.median(np.ptp(expected, axis=(1, 2))) > 0.2


def maps_of_the_library(network, inputs, block, explained):
    """Return (N, 48, 48) maps that pytorch-grad-cam makes of faces and their mirror images."""

    def make_target(index, share):
        def target(output):
            if output.ndim == 1:
                return output[index]
            return (1 - share) * output[LABEL_HEAD, index] + share * output[CROWD_HEAD, index]

        return target

    targets = [make_target(*each) for each in explained]
    both = torch.from_numpy(np.concatenate([inputs, inputs[..., ::-1]])).requires_grad_(True)
    with GradCAM(model=network, target_layers=[network.get_submodule(block)]) as cam:
        maps = cam(input_tensor=both, targets=[*targets, *targets])
    mean = (maps[: len(inputs)] + maps[len(inputs) :, :, ::-1]) / 2
    return np.stack([cv2.resize(each, (48, 48)) for each in mean])


def test_model_that_cannot_be_explained_is_refused(weights_dir, faces48, monkeypatch):
    from core.classifiers import CLASSIFIERS

    monkeypatch.setitem(CLASSIFIERS._factories, "theirs", lambda *_names, **_options: None)
    config = AnalyzerConfig(model="theirs", weights_dir=weights_dir)
    with pytest.raises(ConfigError, match="theirs cannot show what it looked at"):
        gradcam(config, faces48[:1], happy(1))


def test_analyzer_explains_its_own_answers(weights_dir, photo):
    from core import Box, Face
    from tests.core.conftest import FACE_XYXY

    made = analyzer(Face(Box(*FACE_XYXY), 0.99), weights_dir=weights_dir)
    (heat,) = made.explain(made.analyze(photo))
    assert heat.shape == (48, 48)
    assert made.explain(image_analysis()) == ()
