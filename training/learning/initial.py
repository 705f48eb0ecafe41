"""The weights that a training run starts from: ImageNet weights, a file, or random ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import get_weight
from torchvision.models.resnet import Bottleneck

from core.classifiers.architectures import EmotionNetwork, find_architecture, load_state
from core.detectors.compact_network import CompactNetwork
from core.errors import ConfigError, ProjectError, WeightsCorrupt
from core.files import read_bounded
from core.weights import MAX_WEIGHTS_BYTES, StoredWeights, read_detectors, read_manifest

from .recipe import Recipe

SCRATCH = "scratch"
IMAGENET = "imagenet"


def make_initial_network(recipe: Recipe, init: str, *, crowd: bool = False) -> EmotionNetwork:
    """Return the network that a run starts from; ``init`` is imagenet, scratch or a file.

    ``crowd`` gives it a head for the crowd's votes. ConfigError when the weights cannot be loaded
    or do not fit the architecture.
    """
    torch.manual_seed(recipe.seed)
    architecture = find_architecture(recipe.model)
    network = EmotionNetwork(architecture, dropout=recipe.dropout, crowd=crowd)
    if init == SCRATCH:
        _zero_residual_branches(network)
        return network
    if init == IMAGENET:
        load_trunk(network, _download(architecture.imagenet_weights), source="ImageNet weights")
    else:
        load_trunk(network, _read_weights(Path(init)), source=f"'{Path(init).name}'")
    return network


def make_initial_detector(init: str, *, seed: int) -> CompactNetwork:
    """Return the detector that a run starts from; ``init`` is scratch or a file.

    ConfigError when the weights cannot be loaded or do not fit.
    """
    torch.manual_seed(seed)
    network = CompactNetwork()
    if init == SCRATCH:
        return network
    given = _read_weights(Path(init))
    try:
        load_state(network, given)
    except WeightsCorrupt as error:
        raise ConfigError(
            f"'{Path(init).name}' holds no weights of this detector.",
            hint="Give compact.safetensors of an earlier run, or --init scratch.",
        ) from error
    return network.requires_grad_(True).train()


def _zero_residual_branches(network: EmotionNetwork) -> None:
    """Start each residual block of ResNet50 as the identity (Goyal et al. 2017)."""
    for module in network.modules():
        if isinstance(module, Bottleneck):
            nn.init.zeros_(module.bn3.weight)


def read_earlier_run(init: str) -> dict[str, Any] | None:
    """Return how the network or detector in the file ``init`` was trained, by its manifest.

    None where ``init`` is not a file of ours. The checksum must match: a manifest of other
    weights says nothing about these.
    """
    file = Path(init)
    try:
        known: tuple[StoredWeights, ...] = (
            *read_manifest(file.parent).values(),
            *read_detectors(file.parent).values(),
        )
        stored = next((each for each in known if each.file.name == file.name), None)
        if stored is None:
            return None
        stored.read_verified()
    except ProjectError:
        return None
    return {"sha256": stored.sha256, **stored.training}


def load_trunk(network: EmotionNetwork, state: dict[str, Tensor], *, source: str) -> None:
    """Load ``state`` into the trunk, key by key.

    ``state`` has torchvision's layout (its classification layers are left out) or that of our
    files (``trunk.*``, ``head.*``). ConfigError names what is missing or has another shape.
    """
    own = any(key.startswith("trunk.") for key in state)
    given = {
        (key.removeprefix("trunk.") if own else key): value.float()
        if value.is_floating_point()
        else value
        for key, value in state.items()
    }
    wanted = network.trunk.state_dict()
    wrong = [
        key
        for key, value in wanted.items()
        if not key.endswith("num_batches_tracked")
        and (key not in given or given[key].shape != value.shape)
    ]
    if wrong:
        raise ConfigError(
            f"{source} does not fit the network: {len(wrong)} of {len(wanted)} entries are "
            f"missing or have another shape, first {wrong[0]}.",
            hint="Choose the --model these weights belong to, or --init scratch.",
        )
    network.trunk.load_state_dict({key: given.get(key, value) for key, value in wanted.items()})
    if not own:
        return
    try:
        if state["head.weight"].shape == network.head.weight.shape:
            _load_head(network.head, state, "head")
            if network.crowd is not None:
                # A file without a crowd head starts it as the label head.
                _load_head(network.crowd, state, "crowd" if "crowd.weight" in state else "head")
    except (KeyError, RuntimeError) as error:
        raise ConfigError(
            f"{source} does not fit the network: its head is missing or has another shape.",
            hint="Choose the --model these weights belong to, or --init scratch.",
        ) from error


def _load_head(head: nn.Linear, state: dict[str, Tensor], name: str) -> None:
    head.load_state_dict({key: state[f"{name}.{key}"].float() for key in ("weight", "bias")})


def _download(name: str) -> dict[str, Tensor]:
    try:
        state: dict[str, Tensor] = get_weight(name).get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise ConfigError(
            f"The ImageNet weights {name} could not be downloaded ({error}).",
            hint="Connect to a network, give a file with --init FILE.safetensors, "
            "or start with --init scratch.",
        ) from error
    return state


def _read_weights(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(read_bounded(path, MAX_WEIGHTS_BYTES))
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"'{path}' is not a readable safetensors file ({reason}).",
            hint="--init takes the path of a .safetensors file or a name that --help lists.",
        ) from error
