"""The protocol that every registered model meets, and the accuracy of the built-in ones.

The built-in networks have random weights here, so accuracy means that answers differ between faces.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core import Device, Engine
from core.calibration import CROWD_HEAD, LABEL_HEAD
from core.classifiers import BUILT_IN, CLASSIFIERS
from core.classifiers.network import BATCH


@pytest.fixture(scope="module")
def load(weights_dir):
    """Load each model once per engine."""
    made = {}

    def load(name, engine):
        if (name, engine) not in made:
            made[name, engine] = CLASSIFIERS.get(name)(
                name, weights_dir=weights_dir, engine=engine, device=Device.CPU
            )
        return made[name, engine]

    return load


@pytest.fixture(params=CLASSIFIERS.names())
def name(request):
    """Every registered model, for the tests of the protocol."""
    return request.param


@pytest.fixture
def classifier(load, name):
    return load(name, Engine.OPENVINO)


@pytest.fixture(params=[Engine.TORCH, Engine.OPENVINO], ids=str)
def either(request, load, name):
    return load(name, request.param)


@pytest.fixture(params=BUILT_IN)
def built_in_name(request):
    """Each model of this project, for the tests of what its answers depend on."""
    return request.param


@pytest.fixture(params=[Engine.TORCH, Engine.OPENVINO], ids=str)
def built_in(request, load, built_in_name):
    return load(built_in_name, request.param)


def test_no_faces_give_no_rows(either):
    rows = either.logits(np.zeros((0, 48, 48), np.uint8))
    assert (rows.shape, rows.dtype) == ((0, 7), np.float32)


def test_each_face_gets_seven_logits_from_each_head(either, faces48):
    rows = either.logits(faces48)
    count = len(faces48)
    assert rows.shape in {(count, 7), (count, 2, 7)}
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_different_faces_get_different_answers(built_in, faces48):
    # A network with one answer for all faces would pass most of the other tests.
    rows = built_in.logits(faces48)
    assert rows.std(axis=0).min() > 0.05
    for head in (LABEL_HEAD, CROWD_HEAD):
        assert len(set(rows[:, head].argmax(axis=1))) >= 3
    assert np.abs(rows[:, LABEL_HEAD] - rows[:, CROWD_HEAD]).max() > 0.5


def test_both_engines_give_the_same_answers(load, name, faces48):
    torch_rows = load(name, Engine.TORCH).logits(faces48)
    openvino_rows = load(name, Engine.OPENVINO).logits(faces48)
    assert np.abs(torch_rows - openvino_rows).max() < 1e-3
    assert (torch_rows.argmax(axis=-1) == openvino_rows.argmax(axis=-1)).all()


def test_answer_does_not_depend_on_order_or_neighbours(either, faces48):
    together = either.logits(faces48)
    assert either.logits(faces48[::-1]) == pytest.approx(together[::-1], abs=1e-4)
    for index in (0, 5):
        alone = either.logits(faces48[index : index + 1])
        assert alone[0] == pytest.approx(together[index], abs=1e-4)


def test_more_faces_than_one_batch_keep_their_order(load, faces48):
    classifier = load("mobilenet_v2", Engine.OPENVINO)
    count = 2 * BATCH + 3
    many = faces48[np.arange(count) % len(faces48)]
    expected = classifier.logits(faces48)[np.arange(count) % len(faces48)]
    assert classifier.logits(many) == pytest.approx(expected, abs=1e-4)


def test_mirrored_face_gets_the_same_answer(built_in, faces48):
    mirrored = np.ascontiguousarray(faces48[:, :, ::-1])
    assert built_in.logits(mirrored) == pytest.approx(built_in.logits(faces48), abs=0.02)


def test_same_faces_twice_give_the_same_answer(classifier, faces48):
    assert (classifier.logits(faces48) == classifier.logits(faces48)).all()


def test_faces_are_not_changed(either, faces48):
    before = faces48.copy()
    either.logits(faces48)
    assert (faces48 == before).all()


def test_eight_threads_get_the_same_answers(either, faces48):
    alone = either.logits(faces48)
    parts = [slice(start, start + 3) for start in (0, 3, 6, 9)] * 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda part: either.logits(faces48[part]), parts))
    for part, rows in zip(parts, together, strict=True):
        assert rows == pytest.approx(alone[part], abs=1e-4)
