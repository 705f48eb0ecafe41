"""Compiled networks are cached, and a cached copy is used only if it can be trusted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from torch import nn

from core import Device, Engine
from core.classifiers.network import load_network
from core.detectors.mtcnn import load_networks
from core.runtime import runner_for
from core.runtime.model_cache import _MOST, FOLDER_VARIABLE, ModelCache, cache_folder
from core.weights import read_spec
from tests.core.runtime.torch_modules import make_network

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "kept" / "compiled"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


def answer(fingerprint, value, built=None):
    """Return ``value`` times three, by a network that is cached under ``fingerprint``."""

    def build():
        if built is not None:
            built.append(fingerprint)
        layer = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.constant_(layer.weight, value)
        return nn.Sequential(layer, nn.Flatten())

    network = make_network(build, (-1, 3, 1, 1), fingerprint)
    runner = runner_for(network, engine=Engine.OPENVINO, device=Device.CPU)
    return float(runner.run(np.ones((1, 3, 1, 1), np.float32))[0, 0])


def test_network_is_compiled_once(folder):
    built = []
    assert [answer("a", 2, built) for _ in range(3)] == [6, 6, 6]
    assert built == ["a"]
    assert len(list(folder.iterdir())) == 1


def test_other_weights_are_cached_separately(folder):
    assert [answer("a", 2), answer("b", 3), answer("a", 2)] == [6, 9, 6]
    assert len(list(folder.iterdir())) == 2


def test_network_without_fingerprint_is_not_cached(folder):
    assert answer("", 2) == 6
    assert not folder.exists()


@pytest.mark.parametrize("method", ["get_version", "get_property"])
def test_other_openvino_version_or_processor_recompiles(folder, monkeypatch, method):
    import openvino

    built = []
    answer("a", 2, built)
    owner = openvino if method == "get_version" else openvino.Core
    monkeypatch.setattr(owner, method, lambda *_: "another")
    answer("a", 2, built)
    assert built == ["a", "a"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:],
        lambda data: b"garbage" * 100,
    ],
)
def test_damaged_copy_is_recompiled(folder, damage):
    built = []
    answer("a", 2, built)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert [answer("a", 2, built) for _ in range(2)] == [6, 6]
    assert built == ["a", "a"]  # first call, after the damage, then cached again


def test_copy_that_openvino_rejects_is_recompiled(folder):
    built = []
    answer("a", 2, built)
    (file,) = folder.iterdir()
    kept = ModelCache("x")
    kept._file = file
    kept.write(b"whole, but no network")
    assert kept.read() == b"whole, but no network"
    assert answer("a", 2, built) == 6
    assert built == ["a", "a"]


def test_cache_folder_that_cannot_be_created_is_ignored(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "folder"))
    assert answer("a", 2) == 6


def test_full_disk_is_ignored_and_leaves_no_file(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    assert answer("a", 2) == 6
    assert list(folder.iterdir()) == []


@posix
def test_only_the_owner_can_read_and_write(folder):
    answer("a", 2)
    (file,) = folder.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("which", ["folder", "file"])
def test_copy_that_others_can_write_is_not_read(folder, which):
    built = []
    answer("a", 2, built)
    (file,) = folder.iterdir()
    (folder if which == "folder" else file).chmod(0o777)
    answer("a", 2, built)
    assert built == ["a", "a"]


@posix
def test_copy_of_another_user_is_not_read(folder, monkeypatch):
    kept = ModelCache("a")
    kept.write(b"network")
    assert kept.read() == b"network"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert kept.read() is None


LOAD = """
import sys
from pathlib import Path
from core.classifiers.network import load_network
from core.config import Device
from core.detectors.mtcnn import load_networks
from core.weights import read_spec
load_networks(Device.CPU)
load_network(read_spec("mobilenet_v2", Path(sys.argv[1])), device=Device.CPU)
print("torch" in sys.modules)
"""


def test_cached_networks_run_without_torch(root, folder, weights_dir):
    load_networks(Device.CPU)
    load_network(read_spec("mobilenet_v2", weights_dir), device=Device.CPU)
    assert len(list(folder.iterdir())) == 4
    command = [sys.executable, "-c", LOAD, str(weights_dir)]
    result = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    assert result.stdout == "False\n"


def test_least_recently_used_copy_is_removed_first(folder):
    for number in range(_MOST):
        ModelCache(str(number)).write(b"network")
        os.utime(ModelCache(str(number))._file, (number, number))
    assert ModelCache("0").read()  # used just now
    ModelCache("one more").write(b"network")
    assert ModelCache("0").read()
    assert ModelCache("1").read() is None
    assert len(list(folder.iterdir())) == _MOST


def test_cache_folder_is_the_system_s(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "photo-emotion" / "compiled"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "photo-emotion" / "compiled"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "photo-emotion" / "compiled"


def test_empty_variable_turns_caching_off(monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    assert cache_folder() is None
    ModelCache("a").write(b"network")
    assert ModelCache("a").read() is None
