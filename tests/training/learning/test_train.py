"""Complete runs of a few steps on drawn faces."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from core.config import Device
from core.errors import ConfigError, DataError, InferenceError
from core.weights import read_spec
from training.data.shapes import SHAPE_VALUES
from training.learning.loader import AugmentedFaces
from training.learning.precision import Precision
from training.learning.recipe import read_recipe
from training.learning.train import TrainingOptions, train_model


class Interrupted(Exception):
    """Stops a run, like a power cut."""


def interrupt_at(epoch):
    def report(epoch_report):
        # Raised before the checkpoint of this epoch is written, so that only earlier ones exist.
        if epoch_report.epoch == epoch:
            raise Interrupted

    return report


def run(recipe, faces, folder, *, resume=False, report=None, **options):
    options = TrainingOptions(**{"init": "scratch", "workers": 0, **options})
    return train_model(recipe, [faces], folder, options, resume=resume, report=report)


def test_run_leaves_weights_manifest_and_a_sheet_of_faces(finished_run):
    finished, _ = finished_run
    spec = read_spec("mobilenet_v2", finished.directory)
    assert finished.weights == spec.file
    assert spec.load()
    assert spec.preprocessing.input_px == 32
    sheet = cv2.imread(str(finished.directory / "augmented.png"), cv2.IMREAD_UNCHANGED)
    assert sheet.shape == (4 * 32, 8 * 32)
    assert list((finished.directory / "tensorboard").glob("events*"))


def test_manifest_records_how_the_network_was_trained(finished_run, small_recipe):
    finished, _ = finished_run
    training = read_spec("mobilenet_v2", finished.directory).training
    assert training["recipe_digest"] == small_recipe().digest()
    assert training["data"] == "FER-2013 Training"
    assert training["faces"] == 28
    assert training["faces_by_emotion"]["fear"] == 4
    assert (training["epochs"], training["init"], training["votes"]) == (2, "scratch", "votes.csv")
    # Three full batches of eight in each epoch, one optimizer step each.
    assert training["steps"] == 6
    assert json.loads((finished.directory / "training.json").read_text()) == training


def test_each_epoch_is_reported(finished_run):
    _, reports = finished_run
    assert [(each.epoch, each.epochs) for each in reports] == [(1, 2), (2, 2)]
    for each in reports:
        assert math.isfinite(each.loss)
        assert each.images_per_s > 0
        metrics = dict(each.validation_metrics)
        assert metrics.pop("crowd_kl") > 0
        assert {"accuracy", "macro_f1", "crowd_accuracy"} == set(metrics)
        assert all(0 <= value <= 1 for value in metrics.values())
        assert 0 < each.waiting_share < 1
    assert reports[0].left_s > reports[1].left_s == 0


def test_slow_loading_shows_as_waiting(faces_dir, small_recipe, tmp_path, monkeypatch):
    original = AugmentedFaces.__getitem__

    def slow(self, key):
        time.sleep(0.05)
        return original(self, key)

    monkeypatch.setattr(AugmentedFaces, "__getitem__", slow)
    finished = run(small_recipe(epochs=1), faces_dir, tmp_path / "run")
    facts = json.loads((finished.directory / "training.json").read_text())
    # Three batches of eight faces: 1.2 s of waiting at least.
    seconds = 24 / facts["images_per_s"]
    assert seconds * facts["waiting_share"] >= 1.2
    assert facts["waiting_share"] < 1


def test_limit_trains_on_some_of_the_faces(faces_dir, small_recipe, tmp_path):
    finished = run(small_recipe(epochs=1), faces_dir, tmp_path / "run", limit=14)
    facts = json.loads((finished.directory / "training.json").read_text())
    assert facts["faces"] == 14
    assert set(facts["faces_by_emotion"].values()) == {2}


def test_landmarks_change_what_is_learnt(faces_dir, small_recipe, tmp_path):
    names = np.array([file.name for file in faces_dir.rglob("Training_*.png")])
    points = np.random.default_rng(0).normal(24, 8, (len(names), 2, SHAPE_VALUES // 2, 2))
    file = tmp_path / "landmarks.npz"
    np.savez(file, names=names, points=points)
    recipe = small_recipe(epochs=1)
    given = [
        run(recipe, faces_dir, tmp_path / name, workers=0, landmarks=landmarks)
        for name, landmarks in (("without", None), ("with", file))
    ]
    has_landmarks = [
        read_spec("mobilenet_v2", each.directory).training["landmarks"] for each in given
    ]
    assert has_landmarks == [False, True]
    plain, shaped = (load_file(each.weights) for each in given)
    assert plain.keys() == shaped.keys()
    assert not torch.equal(plain["head.weight"], shaped["head.weight"])


@pytest.mark.parametrize("workers", [0, 1])
def test_resumed_run_ends_in_the_same_weights(
    faces_dir, votes_csv, small_recipe, tmp_path, workers
):
    # Mixup, dropout and augmentation are all on, and every random number must repeat.
    recipe = small_recipe(epochs=3, mixup_chance=0.5)
    options = {"votes": votes_csv, "workers": workers}
    whole = run(recipe, faces_dir, tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        run(recipe, faces_dir, tmp_path / "cut", report=interrupt_at(2), **options)
    resumed = run(recipe, faces_dir, tmp_path / "cut", resume=True, **options)
    expected, given = load_file(whole.weights), load_file(resumed.weights)
    assert expected.keys() == given.keys()
    for key, value in expected.items():
        assert torch.equal(value, given[key]), key
    trained = [read_spec("mobilenet_v2", each.directory).training for each in (whole, resumed)]
    assert trained[0]["steps"] == trained[1]["steps"] == 9


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_run_killed_in_the_middle_of_an_epoch_resumes_to_the_same_weights(
    faces_dir, tmp_path, root
):
    values = {"input_px": "32", "early_share": "0", "epochs": "3", "batch": "8"}
    recipe = read_recipe("mobilenet_v2", values)
    whole = run(recipe, faces_dir, tmp_path / "whole", workers=1)
    command = [sys.executable, "-m", "cli", "train", "--model", "mobilenet_v2"]
    command += ["--data", str(faces_dir), "--init", "scratch", "--out", str(tmp_path / "cut")]
    for name, value in values.items():
        command += ["--set", f"{name}={value}"]
    checkpoint = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    environment = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, cwd=root, env=environment) as process:
        while not checkpoint.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    resumed = run(recipe, faces_dir, tmp_path / "cut", resume=True)
    expected = load_file(whole.weights)
    for key, value in load_file(resumed.weights).items():
        assert torch.equal(value, expected[key]), key


def test_finished_run_is_not_overwritten(finished_run, faces_dir, small_recipe):
    finished, _ = finished_run
    before = finished.weights.read_bytes()
    with pytest.raises(ConfigError, match="finished run") as raised:
        run(small_recipe(), faces_dir, finished.directory)
    assert "--out" in raised.value.hint
    with pytest.raises(ConfigError, match="all 2 epochs are done"):
        run(small_recipe(), faces_dir, finished.directory, resume=True)
    assert finished.weights.read_bytes() == before


def test_interrupted_run_continues_only_with_resume(faces_dir, votes_csv, small_recipe, tmp_path):
    with pytest.raises(Interrupted):
        run(small_recipe(), faces_dir, tmp_path, report=interrupt_at(2))
    with pytest.raises(ConfigError, match="interrupted") as raised:
        run(small_recipe(), faces_dir, tmp_path)
    assert "--resume" in raised.value.hint
    with pytest.raises(ConfigError, match="another recipe"):
        run(small_recipe(batch=7), faces_dir, tmp_path, resume=True)
    with pytest.raises(ConfigError, match="began with votes None"):
        run(small_recipe(), faces_dir, tmp_path, resume=True, votes=votes_csv)


def test_nothing_to_resume_is_an_error(faces_dir, small_recipe, tmp_path):
    with pytest.raises(ConfigError, match="no checkpoint"):
        run(small_recipe(), faces_dir, tmp_path, resume=True)


def test_time_limit_ends_a_run_cleanly_and_more_time_continues_it(
    faces_dir, small_recipe, tmp_path
):
    reports = []
    recipe = small_recipe(epochs=10_000)
    ended = run(recipe, faces_dir, tmp_path, max_minutes=0.05, report=reports.append)
    assert ended.ended_by_clock
    assert 0 < ended.epochs < 10_000
    assert read_spec("mobilenet_v2", tmp_path).load()
    assert reports[-1].left_s == 0
    with pytest.raises(ConfigError, match="already used up"):
        run(recipe, faces_dir, tmp_path, resume=True, max_minutes=0.05)
    steps = read_spec("mobilenet_v2", tmp_path).training["steps"]
    longer = ended.elapsed_s / 60 + 0.03
    run(recipe, faces_dir, tmp_path, resume=True, max_minutes=longer)
    assert read_spec("mobilenet_v2", tmp_path).training["steps"] > steps


def test_mixed_precision_with_clipping_takes_one_step_a_batch(
    faces_dir, small_recipe, tmp_path, monkeypatch
):
    clipped, stepped = [], []
    clip, step = torch.nn.utils.clip_grad_norm_, torch.optim.AdamW.step

    def record_clip(parameters, limit, **options):
        clipped.append(limit)
        return clip(parameters, limit, **options)

    def record_step(optimizer, *arguments, **options):
        stepped.append(optimizer)
        return step(optimizer, *arguments, **options)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", record_clip)
    monkeypatch.setattr(torch.optim.AdamW, "step", record_step)
    recipe = small_recipe(epochs=1, gradient_clip=0.1)
    run(recipe, faces_dir, tmp_path, precision=Precision.BF16_MIXED)
    training = read_spec("mobilenet_v2", tmp_path).training
    assert (training["steps"], training["precision"]) == (3, "bf16-mixed")
    assert clipped == [0.1] * 3
    assert len(stepped) == 3
    assert all(
        torch.isfinite(each).all()
        for each in load_file(tmp_path / "mobilenet_v2.safetensors").values()
    )


def test_training_works_without_a_validation_split(faces_dir, small_recipe, tmp_path):
    reports = []
    run(small_recipe(epochs=1), faces_dir / "train", tmp_path, report=reports.append)
    assert reports[0].validation_metrics == {}


def test_data_without_a_training_split_is_refused(faces_dir, small_recipe, tmp_path):
    with pytest.raises(DataError, match="No train faces"):
        run(small_recipe(), faces_dir / "validation", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_damaged_faces_are_counted_and_named(faces_dir, small_recipe, tmp_path):
    folder = tmp_path / "faces"
    shutil.copytree(faces_dir / "train", folder / "train")
    (folder / "train" / "sad" / "Training_99999.png").write_bytes(b"no picture")
    result = run(small_recipe(epochs=1), folder, tmp_path / "run")
    assert [line.partition(":")[0] for line in result.skipped] == ["train/sad/Training_99999.png"]
    assert read_spec("mobilenet_v2", result.directory).training["skipped"] == 1


def test_nan_loss_ends_the_run_with_a_hint(faces_dir, small_recipe, tmp_path, monkeypatch):
    def nan_loss(module, _batch):
        return module.headed.network.head.bias.sum() * math.nan

    monkeypatch.setattr("training.learning.module.EmotionModule.loss", nan_loss)
    with pytest.raises(InferenceError, match="Training failed") as raised:
        run(small_recipe(), faces_dir, tmp_path)
    assert "--set learning_rate=0.001" in raised.value.hint
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": Device.CUDA}, "no CUDA GPU"),
        ({"precision": Precision.F16_MIXED}, "CPU cannot train"),
    ],
)
def test_options_this_computer_cannot_serve_are_refused(
    faces_dir, small_recipe, tmp_path, options, message
):
    with pytest.raises(ConfigError, match=message):
        run(small_recipe(), faces_dir, tmp_path, **options)


def test_compiling_without_a_compiler_is_refused(faces_dir, small_recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ConfigError, match=r"C\+\+ compiler"):
        run(small_recipe(), faces_dir, tmp_path, compiled=True, device=Device.CPU)


def test_mistyped_start_is_refused_before_the_faces_are_read(small_recipe, tmp_path):
    with pytest.raises(ConfigError, match="not a readable safetensors file"):
        run(small_recipe(), tmp_path / "absent", tmp_path / "run", init="imagnet")


def test_ctrl_c_is_passed_on(faces_dir, small_recipe, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(small_recipe(), faces_dir, tmp_path, report=stop)
    finally:
        signal.signal(signal.SIGINT, before)


def test_warnings_of_other_libraries_are_silenced(
    faces_dir, small_recipe, tmp_path, capfd, recwarn
):
    run(small_recipe(epochs=1), faces_dir / "train", tmp_path, workers=1)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


@pytest.mark.slow
def test_fresh_process_prints_nothing(faces_dir, tmp_path, root):
    code = (
        "import sys; from pathlib import Path; from training.learning.recipe import read_recipe;"
        "from training.learning.train import TrainingOptions, train_model;"
        "options = TrainingOptions(init='scratch', workers=1);"
        "recipe = read_recipe('mobilenet_v2', {'input_px': '32', 'epochs': '1', 'batch': '8'});"
        "train_model(recipe, [Path(sys.argv[1])], Path(sys.argv[2]), options)"
    )
    command = [sys.executable, "-c", code, str(faces_dir), str(tmp_path)]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert (shown.stdout, shown.stderr) == ("", "")


def test_batch_that_cannot_be_split_is_refused(faces_dir, small_recipe, tmp_path):
    with pytest.raises(ConfigError, match="batch of 8 faces cannot be split among 3") as caught:
        run(small_recipe(), faces_dir, tmp_path, devices=3, device=Device.CPU)
    assert caught.value.hint == "Example: --set batch=9"


def test_two_processes_train_one_network(faces_dir, tmp_path, root):
    """On CPUs, where Lightning starts this command a second time, as it does for GPUs."""
    command = (
        f"{sys.executable} -m cli train --model mobilenet_v2 --data {faces_dir} --init scratch "
        f"--device cpu --devices 2 --workers 0 --out {tmp_path / 'run'} --set input_px=32 "
        "--set early_share=0 --set epochs=2 --set batch=8 --max-minutes 5"
    )
    finished = subprocess.run(
        command.split(), capture_output=True, text=True, cwd=root, timeout=240, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("Trained mobilenet_v2: 2 epochs") == 1
    facts = json.loads((tmp_path / "run" / "training.json").read_text())
    # 28 faces: three batches of eight an epoch, four faces of each in each process.
    assert (facts["devices"], facts["steps"], facts["faces"]) == (2, 6, 28)
    assert read_spec("mobilenet_v2", tmp_path / "run").read_verified()


def test_earlier_run_is_recorded_even_after_a_resume(
    faces_dir, small_recipe, finished_run, tmp_path
):
    earlier = finished_run[0].weights
    with pytest.raises(Interrupted):
        run(small_recipe(), faces_dir, tmp_path, init=str(earlier), report=interrupt_at(2))
    resumed = run(small_recipe(), faces_dir, tmp_path, init="scratch", resume=True)
    training = json.loads((resumed.directory / "training.json").read_text())
    assert training["init"] == "mobilenet_v2.safetensors"
    assert training["earlier_run"]["recipe_digest"] == small_recipe().digest()
    assert training["earlier_run"]["init"] == "scratch"
