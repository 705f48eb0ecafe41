"""Model cards (Mitchell et al. 2019), written from the manifest and measured figures alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.catalog import model_catalog
from core.files import atomic_write
from core.labels import EMOTIONS
from core.output.intervals import format_metric

from ..learning.export import read_entry
from .comparison import format_comparison_table

_TITLES = {"mobilenet_v2": "MobileNetV2", "resnet50": "ResNet50", "inception_v3": "InceptionV3"}
STARTS = {
    "scratch": "random weights",
    "imagenet": "torchvision's ImageNet weights",
    "mobilenet_v2_imagenet_trunk.safetensors": "the ImageNet features of Google's quantized "
    "MobileNetV2 1.0/224 (Apache-2.0), dequantized",
}
"""What a training started from, in words, by its option or file."""
_SPLITS = {"train": "training", "validation": "validation", "test": "test"}
_ROWS = (
    ("accuracy", "accuracy", 100, 1),
    ("balanced_accuracy", "balanced accuracy", 100, 1),
    ("macro_f1", "macro-F1", 100, 1),
    ("nll", "negative log-likelihood (nats)", 1, 3),
    ("brier", "Brier score (0 to 2)", 1, 3),
    ("ece", "expected calibration error (15 bins of equal mass)", 100, 1),
)
_OFFICIAL_COUNTS = {"FER-2013 Training": 28_709}
_FER2013 = (
    "FER-2013 (Goodfellow et al. 2013) was collected by a web image search for emotion words and "
    "labelled by few people; the rights in its pictures lie with whoever made them, and it is "
    "meant for research."
)
_USE = """\
## Intended use

Reading the expression that a face shows in a photo, where a person looks at the answer: sorting
photos, research, teaching, demonstrations.

Not intended for: judging what somebody feels, thinks or intends; decisions about people, such as
hiring, schooling, policing, border control, insurance or medicine; watching people without their
consent. The EU AI Act (Regulation 2024/1689, Article 5(1)(f)) forbids inferring emotions at work
and in education, except for medical or safety reasons.
"""
_FACTORS = """\
## Factors

What changes how well a face is answered: light, sharpness, size, pose, covering, and how the face
is cut out; `emotion study robustness` measures them. Who is shown may change it as well, which
these data cannot tell: they carry no label of age, gender, origin or skin tone.
"""
_ETHICS = """\
## Ethical considerations

The training pictures show people who were not asked. The network answers for an expression, not
a feeling; it identifies nobody and keeps nothing. A wrong answer can harm the person it is about:
show "not sure" where the level is not reached, let a person look, and let people object. The
project's `docs/ethics.md` has consent, privacy, misuse and law.
"""
_LIMITS = """\
## Limits

- A shown expression is not a felt emotion, and seven words do not cover what faces express.
- FER-2013's labels are disputed: the crowd votes of FER+ often prefer another emotion. Figures
  near 75 % are the best that single networks have reached on it.
- Part of its test images have copies among its training images, which flatters every figure
  measured on it.
- Posed, frontal, well-lit faces dominate. Profiles, children, old people, covered faces and dark
  pictures are rarer, and accuracy there is not known.
- No figures by gender, age or skin tone exist: the data carry no such labels. Systems of this
  kind have been found to rate groups of people differently (Rhue 2018; Xu et al. 2020;
  Dominguez-Catena et al. 2022).
- Real photos differ from the data set; how a face is cut out changes the answer.
"""


def write_card(directory: Path, name: str, measured: Mapping[str, Any]) -> Path:
    """Write ``<name>.md`` beside the weights from their manifest entry and ``measured``.

    ``measured`` is the document of metrics.json; per-emotion figures come from its split,
    headlines from every split the manifest has on record.
    """
    entry = read_entry(directory, name)
    title = _TITLES.get(name, name)
    sections = [
        f"# {title} for facial emotion\n\n{_summary(entry)}\n",
        _USE,
        _FACTORS,
        _training(entry["training"]),
        _headlines(entry["metrics"]),
        _per_emotion(measured["models"][name], measured["split"]),
        _confusion(measured["models"][name]["confusion_matrix"]),
        _doubt(measured["models"][name], measured["split"]),
        _calibration(entry),
        *_beside(directory),
        _ETHICS,
        _LIMITS,
        _licence(entry["training"]),
        "Written by `emotion evaluate --record`; changes by hand are lost with the next one.\n",
    ]
    path = directory / f"{name}.md"
    atomic_write(path, "\n".join(sections).encode())
    return path


def _beside(directory: Path) -> tuple[str, ...]:
    """All trained models side by side, where there are several."""
    trained = [each for each in model_catalog(directory) if each.trained]
    if len(trained) < 2:
        return ()
    return (f"## Beside the other models\n\n{format_comparison_table(trained)}",)


def _summary(entry: Mapping[str, Any]) -> str:
    side = entry["preprocessing"]["input_px"]
    return (
        f"{_TITLES.get(entry['architecture'], entry['architecture'])} (torchvision), with "
        f"{entry['parameters'] / 1e6:.1f} million parameters, answers a grey face with one "
        f"probability for each of {', '.join(EMOTIONS)}. A face is aligned to FER-2013's frame at "
        f"48x48 pixels, enlarged to {side}x{side}, and shown as it is and mirrored; both answers "
        f"are averaged.\n\n"
        f"File `{entry['file']}`, float16, {entry['bytes'] / 1e6:.1f} MB, "
        f"SHA-256 `{entry['sha256']}`."
    )


def _training(facts: Mapping[str, Any]) -> str:
    recipe, data = facts["recipe"], _data(facts)
    whole = _OFFICIAL_COUNTS.get(data, facts["faces"])
    faces = f"{facts['faces']:,}" + (f" of the {whole:,}" if whole != facts["faces"] else "")
    counts = ", ".join(f"{name} {count:,}" for name, count in facts["faces_by_emotion"].items())
    votes = (
        "\n- Crowd votes: FER+ (Barsoum et al. 2016, MIT), as a second task of weight "
        f"{recipe['votes_head']:g} and as {recipe['votes_prior']:.0%} of the target."
        if facts.get("votes")
        else ""
    )
    if facts.get("landmarks"):
        votes += (
            "\n- Landmarks: the face mesh's outlines of eyes, brows and lips on the training "
            f"faces, as a further task of weight {recipe['shape']:g}."
        )
    runs = _runs(facts)
    first = STARTS.get(runs[0]["init"], f"`{runs[0]['init']}`")
    lines = [_run(each, index if len(runs) > 1 else 0) for index, each in enumerate(runs, 1)]
    return f"""\
## Training

- Data: {faces} training faces of {data} ({counts}).{votes}
- Start: {first}.
{chr(10).join(lines)}
"""


def _runs(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The runs that led here, the first one first."""
    earlier = facts.get("earlier_run")
    return [*(_runs(earlier) if earlier else ()), facts]


def _run(facts: Mapping[str, Any], number: int) -> str:
    recipe = facts["recipe"]
    taught = (
        f", taught by {len(facts['teachers'])} network{'s' * (len(facts['teachers']) > 1)} "
        f"({', '.join(f'`{digest[:12]}`' for digest in facts['teachers'])}), whose opinion has "
        f"{recipe['distillation']:.0%} of the weight"
        if facts.get("teachers")
        else ""
    )
    by_clock = (
        " (the schedule was fitted to the time)" if facts["epochs"] < recipe["epochs"] else ""
    )
    values = ", ".join(f"{key} {value}" for key, value in recipe.items() if key != "model")
    pace = (
        f"; {facts['images_per_s']:,.0f} faces a second, {facts['waiting_share']:.1%} of the time "
        "spent waiting for them"
        if "images_per_s" in facts
        else ""
    )
    name = f"Run {number}" if number else "Run"
    goes_on = " from the weights of the run before" if number > 1 else ""
    device = "a GPU" if facts["device"] == "cuda" else "a CPU"
    return f"""\
- {name}: {facts["epochs"]} of {recipe["epochs"]} epochs{by_clock}{goes_on} in \
{facts["minutes"]:g} minutes on {device}{pace}{taught}; AdamW, \
cosine schedule, exponential average of the weights, which is what ships.
  Recipe `{facts["recipe_digest"]}`: {values}."""


def _data(facts: Mapping[str, Any]) -> str:
    return facts["data"] if isinstance(facts["data"], str) else ", ".join(facts["data"])


def _headlines(by_split: Mapping[str, Mapping[str, Any]]) -> str:
    parts = ["## Figures\n", "With 95 % bootstrap intervals; shares in percent.\n"]
    for split, metrics in by_split.items():
        fresh = metrics.get("deduplicated") or {}
        fresh = fresh if "accuracy" in fresh else {}
        parts.append(f"On {metrics['n']:,} {_SPLITS[split]} faces of {metrics['data']}:\n")
        extra = f" {fresh['removed']:,} near-copies of training faces left out |" if fresh else ""
        rows = [f"| | all |{extra}", "|---|---|" + ("---|" if fresh else "")]
        for key, label, factor, digits in _ROWS:
            cells = [
                format_metric(each, key, f".{digits}f", scale=factor)
                for each in (metrics, fresh)
                if each
            ]
            rows.append(f"| {label} | {' | '.join(cells)} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _per_emotion(metrics: Mapping[str, Any], split: str) -> str:
    rows = [
        f"| {name} | {each['support']:,} | {each['precision']:.1%} | {each['recall']:.1%} "
        f"| {each['f1']:.1%} |"
        for name, each in metrics["per_class"].items()
    ]
    table = "\n".join(rows).replace("%", "")
    return f"""\
By emotion, on the {_SPLITS[split]} faces, in percent:

| emotion | faces | precision | recall | F1 |
|---|---|---|---|---|
{table}
"""


def _confusion(matrix: Sequence[Sequence[int]]) -> str:
    head = " | ".join(EMOTIONS)
    rows = [
        f"| **{emotion}** | {' | '.join(str(count) for count in row)} |"
        for emotion, row in zip(EMOTIONS, matrix, strict=True)
    ]
    return f"""\
Labels (rows) and answers (columns):

| | {head} |
|---|{"---|" * len(EMOTIONS)}
{chr(10).join(rows)}
"""


def _doubt(metrics: Mapping[str, Any], split: str) -> str:
    """What leaving the doubtful faces out gains, and what the crowd thought."""
    parts = ["## Doubt\n"]
    curve = metrics["risk_coverage"]
    shares = ", ".join(
        f"{accuracy:.1%} on the most certain {float(share):.0%}"
        for share, accuracy in curve["accuracy_at"].items()
    )
    parts.append(
        f"On the {_SPLITS[split]} faces: right {shares} "
        f"(area under the risk-coverage curve {curve['aurc']:.3f}).\n"
    )
    sets = metrics["conformal"]
    if sets:
        low, high = sets["coverage_interval"]
        single = (
            f"; {sets['singletons']:.1%} name one emotion, and {sets['singleton_accuracy']:.1%} of "
            "those are right"
            if sets["singleton_accuracy"] is not None
            else ""
        )
        parts.append(
            f"Conformal sets (RAPS, Angelopoulos et al. 2021) that shall hold the label in "
            f"{1 - sets['alpha']:.0%} of cases held it in {sets['coverage']:.1%} "
            f"({low:.1%} to {high:.1%}); they name {sets['mean_size']:.2f} emotions on "
            f"average{single}. Each half of the faces was calibrated on the other.\n"
        )
    crowd = metrics["crowd"]
    if crowd:
        errors = (
            f", and {crowd['errors_matching_plurality']:.1%} of its {crowd['errors']:,} errors do"
            if crowd["errors_matching_plurality"] is not None
            else ""
        )
        parts.append(
            f"Against the crowd votes of FER+ ({crowd['n']:,} faces): "
            f"{crowd['answers_matching_plurality']:.1%} of the answers match the most frequent "
            f"vote, of the labels {crowd['labels_matching_plurality']:.1%} do{errors}.\n"
        )
    return "\n".join(parts)


def _calibration(entry: Mapping[str, Any]) -> str:
    calibration, on = entry["calibration"], entry.get("calibrated_on")
    if on is None:
        return "## Calibration\n\nNot calibrated yet: run `emotion calibrate`.\n"
    answered = (
        f"{calibration['selective_accuracy']:.1%} of the answers above it were right"
        if calibration["selective_accuracy"] is not None
        else "no answer lay above it"
    )
    smoothing = calibration.get("smoothing", 0.0)
    taken_out = (
        f"{smoothing:.0%} of the uniform distribution, which smoothed and mixed labels had put\n"
        "into the answers, is taken out; then temperature"
        if smoothing
        else "Temperature"
    )
    return f"""\
## Calibration

{taken_out} {calibration["temperature"]:.3f}, fitted on {on["n"]:,} validation faces of \
{on["data"]} by the
least negative log-likelihood. An answer counts as certain from a top probability of \
{calibration["certain_from"]:.3f},
the smallest level at which at least {on["target_accuracy"]:.0%} were right on those faces:
{calibration["coverage"]:.1%} of them reached it, and {answered}. Below it the answer is "not sure".

Probabilities and level were fitted on these faces, so figures about them are a little better on
these than on others. On photos unlike the data set neither is guaranteed.
"""


def _licence(facts: Mapping[str, Any]) -> str:
    origin = f" {_FER2013}" if _data(facts).startswith("FER-2013") else ""
    return f"""\
## Licence

The weights come under the project's licence.{origin} Whether the terms of the training data
allow a given use is for the user to judge.
"""
