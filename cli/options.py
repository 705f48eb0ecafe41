"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core import (
    ConfigError,
    Device,
    OperatingPoint,
    Preset,
    Reading,
    detector_names,
    model_names,
    network_names,
)
from training.learning.precision import Precision

ALL = "all"

# Made from the registries, so that --help lists what there is and a wrong name is refused.
ModelName = StrEnum("ModelName", {name.upper(): name for name in model_names()})  # type: ignore[misc]
# Training, calibration and measuring need weights of this project; a model that is only registered
# has none.
NetworkName = StrEnum("NetworkName", {name.upper(): name for name in network_names()})  # type: ignore[misc]
TrainedName = StrEnum(  # type: ignore[misc]
    "TrainedName", {name.upper(): name for name in (*network_names(), "ensemble")}
)
TrainedOrAll = StrEnum("TrainedOrAll", {name.upper(): name for name in (*TrainedName, ALL)})  # type: ignore[misc]
DetectorName = StrEnum("DetectorName", {name.upper(): name for name in detector_names()})  # type: ignore[misc]
DEFAULT_MODEL = ModelName("mobilenet_v2")
DEFAULT_TRAINED = TrainedName("mobilenet_v2")
ALL_MODELS = TrainedOrAll(ALL)

ModelOption = Annotated[
    ModelName,
    typer.Option(
        "--model", help="Network to use; ensemble combines all three and takes the longest."
    ),
]
DetectorOption = Annotated[
    DetectorName | None,
    typer.Option("--detector", help="Face detector.  [default: the preset's]"),
]
OperatingPointOption = Annotated[
    OperatingPoint,
    typer.Option(
        "--operating-point",
        help="precision marks fewer things that are not faces, recall misses fewer faces.",
    ),
]
PresetOption = Annotated[
    Preset,
    typer.Option(
        "--preset",
        help="How thoroughly to look for faces; thorough finds smaller ones in large photos.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--detection-threshold",
        metavar="0..1",
        help="Lowest detection score that counts as a face.  [default: the operating point's]",
    ),
]
CertainOption = Annotated[
    float | None,
    typer.Option(
        "--certain-from",
        metavar="0..1",
        help='Below this share the answer is "not sure".  [default: the model\'s]',
    ),
]
ReadingOption = Annotated[
    Reading,
    typer.Option(
        "--reading",
        help="people: what people would see in the face. fer2013: FER-2013's label, for "
        "comparison with papers.",
    ),
]
DeviceOption = Annotated[
    Device, typer.Option("--device", help="Where networks run; auto uses a GPU if there is one.")
]
AnnotateOption = Annotated[
    Path | None,
    typer.Option("--annotate", metavar="DIR", help="Write each photo with its faces marked."),
]
OverwriteOption = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace existing files that are not an earlier result."),
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="DIR",
        help="Folder with manifest.json, e.g. runs/MODEL.  [default: the shipped weights]",
    ),
]
CalibratedModelOption = Annotated[
    TrainedName,
    typer.Option("--model", help="Network to calibrate; ensemble combines all three."),
]
TrainedModelOption = Annotated[
    TrainedOrAll, typer.Option("--model", help="Network to measure; all means every trained one.")
]

DATA = typer.Option(
    "--data",
    metavar="DIR_OR_ZIP",
    help="Faces in folders named by emotion, a zip of such folders, or the folder with FER-2013's "
    "official CSV files. Can be given several times.",
)
DataOption = Annotated[list[Path], DATA]
VotesOption = Annotated[
    Path | None, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes for the faces.")
]
ResultsOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Where to write the figures and plots.")
]

TrainedNetworkOption = Annotated[NetworkName, typer.Option("--model", help="The network to train.")]
LandmarksOption = Annotated[
    Path | None,
    typer.Option(
        "--landmarks",
        metavar="NPZ",
        help="Landmarks of the training faces, to be learned as well; made if there is no file.",
    ),
]
TeachersOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--teacher",
        metavar="FILE",
        help="Weights of a finished run whose answers are learned too. Can be given several times.",
    ),
]
RequiredVotesOption = Annotated[
    Path, typer.Option("--votes", metavar="CSV", help="FER+ crowd votes for the faces.")
]
DevicesOption = Annotated[
    int, typer.Option("--devices", min=1, help="GPUs (or processes) that share each batch.")
]
NodesOption = Annotated[
    int, typer.Option("--nodes", min=1, help="Number of computers, each with --devices.")
]
UnlabelledOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--unlabelled",
        metavar="DIR_OR_ZIP",
        help="Photos of people; what the teachers say of their faces is learned too. "
        "Can be given several times.",
    ),
]
InitOption = Annotated[
    str,
    typer.Option(
        "--init",
        metavar="imagenet|scratch|FILE",
        help="Weights to start from; imagenet is downloaded once, FILE is safetensors.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Replace a value of the recipe, e.g. --set epochs=10. Can be given several times.",
    ),
]
RecipeOption = Annotated[
    Path | None,
    typer.Option("--recipe", metavar="FILE", help="A TOML recipe instead of the model's own."),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue the interrupted run in --out.")
]
MaxMinutesOption = Annotated[
    float | None,
    typer.Option(
        "--max-minutes",
        metavar="M",
        min=0.01,
        help="End the run after M minutes, not counting interruptions; the schedule adapts.",
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=0, help="Processes that load the photos.")
]
PrecisionOption = Annotated[
    Precision,
    typer.Option("--precision", help="auto uses half precision on a GPU, full on a CPU."),
]
CompileOption = Annotated[
    bool, typer.Option("--compile", help="Compile the network with torch.compile (needs g++).")
]


def parse_values(texts: Sequence[str] | None) -> dict[str, str]:
    """Return the ``NAME=VALUE`` texts of --set as a dict; ConfigError for any other text."""
    values = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise ConfigError(
                f"--set needs NAME=VALUE, got '{text}'.", hint="Example: --set epochs=10"
            )
        values[name.strip()] = value.strip()
    return values


def list_models(model: str, weights: Path | None) -> tuple[str, ...]:
    """Return the models that --model selects: for "all", every trained one."""
    from core import model_catalog

    if model != ALL:
        return (str(model),)
    catalog = model_catalog(weights)
    return tuple(info.name for info in catalog if info.trained and info.name in [*TrainedName])
