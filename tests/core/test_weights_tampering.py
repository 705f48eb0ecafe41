"""Shipped weights changed in a hundred ways are refused before they are parsed."""

from __future__ import annotations

import pickle
import random
import shutil
from collections.abc import Callable

import pytest

from core import Analyzer, AnalyzerConfig, WeightsCorrupt, WeightsError
from core.weights import MANIFEST_NAME, SHIPPED_DIR, read_manifest, read_spec

NAME = "mobilenet_v2"


@pytest.fixture(scope="module")
def shipped():
    """The bytes of the shipped network."""
    try:
        return read_spec(NAME).read_verified()
    except WeightsError as error:
        pytest.skip(f"needs the shipped weights: {error.message}")


@pytest.fixture
def folder(tmp_path):
    """A folder with the shipped manifest, to which a test adds its file."""
    shutil.copy(SHIPPED_DIR / MANIFEST_NAME, tmp_path)
    return tmp_path


@pytest.fixture
def unparsed(monkeypatch):
    """Fail the test as soon as weights are parsed or unpickled."""
    import safetensors.torch
    import torch

    def parses(*_args, **_options):
        raise AssertionError("parsed before it was checked")

    for module, name in ((safetensors.torch, "load"), (torch, "load"), (pickle, "loads")):
        monkeypatch.setattr(module, name, parses)


def put(folder, data):
    (folder / read_spec(NAME, folder).file.name).write_bytes(data)


def flip_a_bit(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_a_bit_of_the_header(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(8 + int.from_bytes(data[:8], "little"))] ^= 1 << rng.randrange(8)


def clear_a_stretch(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data) - 5000)
    data[start : start + 5000] = bytes(5000)


def exchange_two_stretches(data: bytearray, rng: random.Random) -> None:
    half = len(data) // 2
    one, other = rng.randrange(half - 100), half + rng.randrange(half - 100)
    data[one : one + 100], data[other : other + 100] = (
        data[other : other + 100],
        data[one : one + 100],
    )


def insert_a_byte(data: bytearray, rng: random.Random) -> None:
    data.insert(rng.randrange(len(data)), rng.randrange(256))


def remove_a_byte(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data))]


def cut_off(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def add_a_tail(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randrange(1, 5000))


def rename_a_layer(data: bytearray, rng: random.Random) -> None:
    names = [name for name in (b"weight", b"bias", b"running_mean") if name in data]
    name = rng.choice(names)
    start = data.index(name, rng.randrange(2000))
    data[start : start + 1] = b"W"


def replace_everything(data: bytearray, rng: random.Random) -> None:
    data[:] = rng.randbytes(len(data))


KINDS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip_a_bit,
    flip_a_bit_of_the_header,
    clear_a_stretch,
    exchange_two_stretches,
    insert_a_byte,
    remove_a_byte,
    cut_off,
    add_a_tail,
    rename_a_layer,
    replace_everything,
)


@pytest.mark.parametrize("tamper", KINDS, ids=lambda kind: kind.__name__)
def test_ten_changes_of_each_kind_are_refused_before_parsing(shipped, folder, unparsed, tamper):
    spec = read_spec(NAME, folder)
    for seed in range(10):
        data = bytearray(shipped)
        tamper(data, random.Random(f"{tamper.__name__} {seed}"))
        assert data != shipped
        put(folder, data)
        with pytest.raises(WeightsCorrupt) as caught:
            spec.load()
        assert "git checkout" in caught.value.hint


def test_every_swapped_shipped_file_is_refused_before_parsing(shipped, folder, unparsed):
    specs = read_manifest(folder)
    for name, spec in specs.items():
        for other in specs.keys() - {name}:
            spec.file.unlink(missing_ok=True)
            spec.file.symlink_to(SHIPPED_DIR / specs[other].file.name)
            with pytest.raises(WeightsCorrupt):
                spec.load()


class Exploding:
    """An object whose unpickling runs code."""

    ran = False

    def __reduce__(self):
        return (setattr, (Exploding, "ran", True))


def test_pickle_of_the_right_size_and_name_is_refused_before_parsing(shipped, folder, unparsed):
    pickled = pickle.dumps(Exploding())
    put(folder, pickled + bytes(len(shipped) - len(pickled)))
    with pytest.raises(WeightsCorrupt, match="differ from the ones that were measured"):
        read_spec(NAME, folder).load()
    assert not Exploding.ran


def test_analyzer_refuses_tampered_weights(shipped, folder, unparsed):
    data = bytearray(shipped)
    data[-1] ^= 1
    put(folder, data)
    with pytest.raises(WeightsCorrupt):
        Analyzer.from_config(AnalyzerConfig(model=NAME, weights_dir=folder))


def test_unchanged_copy_is_loaded(shipped, folder):
    put(folder, shipped)
    assert read_spec(NAME, folder).load()
