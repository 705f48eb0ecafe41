"""Small sets of drawn faces, and one short run that many tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.labels import EMOTIONS
from training.data.splits import Split

PREFIXES = {
    Split.TRAIN: "Training",
    Split.VALIDATION: "PublicTest",
    Split.TEST: "PrivateTest",
}


def drawn_face(emotion: int, seed: int) -> np.ndarray:
    """Return (48, 48) uint8 noisy stripes; their direction and width depend on the emotion."""
    generator = np.random.default_rng((emotion, seed))
    y, x = np.mgrid[:48, :48]
    angle = np.pi * emotion / len(EMOTIONS)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * (0.3 + 0.1 * (emotion % 3)))
    return np.clip(128 + 80 * wave + generator.normal(0, 20, (48, 48)), 0, 255).astype(np.uint8)


def write_png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def draw() -> Callable[[int, int], np.ndarray]:
    return drawn_face


@pytest.fixture(scope="session")
def save_png() -> Callable[[Path, np.ndarray], None]:
    return write_png


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: tiny networks gain nothing from several, and waiting costs much time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def faces_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class-folder tree named as FER-2013: 28 training, 21 validation and 7 test faces."""
    folder = tmp_path_factory.mktemp("faces")
    row = 0
    for split, count in ((Split.TRAIN, 4), (Split.VALIDATION, 3), (Split.TEST, 1)):
        for _ in range(count):
            for index, emotion in enumerate(EMOTIONS):
                name = f"{PREFIXES[split]}_{row:05d}.png"
                write_png(folder / split / emotion / name, drawn_face(index, row))
                row += 1
    return folder


@pytest.fixture(scope="session")
def votes_csv(faces_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crowd votes on the training and validation faces: eight of ten people choose the label."""
    columns = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear")
    words = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    lines = [",".join(("image", "usage", *columns, "contempt", "unknown", "NF"))]
    for split in (Split.TRAIN, Split.VALIDATION):
        for file in sorted((faces_dir / split).rglob("*.png")):
            label = words[EMOTIONS.index(file.parent.name)]
            counts = ["8" if column == label else "0" for column in columns]
            lines.append(",".join((file.name, PREFIXES[split], *counts, "1", "1", "0")))
    path = tmp_path_factory.mktemp("votes") / "votes.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_recipe() -> Callable[..., object]:
    """A MobileNetV2 recipe that takes seconds, with values replaced."""
    from training.learning.recipe import read_recipe

    def make(model: str = "mobilenet_v2", **values: object):
        small = {"input_px": 32, "epochs": 2, "batch": 8, "learning_rate": 0.002}
        given = {**small, "early_share": 0, **values}
        return read_recipe(model, {name: str(value) for name, value in given.items()})

    return make


@pytest.fixture(scope="session")
def finished_run(faces_dir, votes_csv, small_recipe, tmp_path_factory):
    """A finished run of two epochs from scratch; do not change its folder."""
    from training.learning.train import TrainingOptions, train_model

    reports = []
    torch.set_num_threads(1)
    run = train_model(
        small_recipe(),
        [faces_dir],
        tmp_path_factory.mktemp("runs") / "finished",
        TrainingOptions(init="scratch", votes=votes_csv, workers=0),
        report=reports.append,
    )
    return run, reports


@pytest.fixture
def weights_copy(finished_run, tmp_path: Path) -> Path:
    """A folder with the finished run's weights and manifest that a test may change."""
    folder = tmp_path / "weights"
    folder.mkdir()
    run, _ = finished_run
    for name in ("manifest.json", "mobilenet_v2.safetensors"):
        (folder / name).write_bytes((run.directory / name).read_bytes())
    return folder
