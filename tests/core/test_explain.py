"""Grad-CAM gives one map in 0..1 per face, for every architecture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core import EMOTIONS, AnalyzerConfig, ConfigError, Emotion
from core.classifiers import ARCHITECTURES
from core.explain import gradcam
from tests.core.pipeline_parts import analyzer, image_analysis


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


def test_explaining_prints_nothing_and_leaves_no_hook(weights_dir, faces48, capfd):
    from core.explain import _load_network
    from core.weights import read_spec

    config = AnalyzerConfig(model="mobilenet_v2", weights_dir=weights_dir)
    gradcam(config, faces48[:1], happy(1))
    network = _load_network(
        "mobilenet_v2", weights_dir, read_spec("mobilenet_v2", weights_dir).sha256
    )
    assert not any(module._forward_hooks for module in network.modules())
    assert capfd.readouterr() == ("", "")


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
