"""One training step: losses, schedule and weight average."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.classifiers.architectures import EmotionNetwork, find_architecture
from core.errors import InferenceError
from core.faces.preprocess import Preprocessing
from tests.training.learning.module_parts import PLAIN, make_batch, make_module, run_heads
from training.data.shapes import SHAPE_VALUES
from training.learning.heads import HeadedNetwork


def test_tensor_normalisation_is_the_one_of_serving(small_recipe):
    module = make_module(small_recipe(mean=0.4, std=0.3))
    faces = make_batch()[0]
    served = Preprocessing(32, 0.4, 0.3).normalise(faces.numpy())
    np.testing.assert_allclose(module.normalise(faces).numpy(), served, atol=1e-6)


def test_loss_is_the_cross_entropy_of_soft_targets(small_recipe):
    module = make_module(small_recipe(**PLAIN))
    batch = make_batch()
    logits, *others = run_heads(module, batch)
    expected = -(batch[1] * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
    assert others == [None] * 5
    torch.testing.assert_close(module.loss(batch), expected)


def test_first_part_of_a_run_sees_smaller_faces(small_recipe):
    module = make_module(small_recipe(**PLAIN, input_px=64, early_px=32, early_share=0.5), steps=10)
    seen = []
    module.headed.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape))
    trainer = SimpleNamespace(global_step=0)
    batch = make_batch(side=64)
    for step in (0, 4, 5, 9):
        trainer.global_step = step
        module.__dict__["_trainer"] = trainer
        module.loss(batch)
    assert [shape[-1] for shape in seen] == [32, 32, 64, 64]
    assert {shape[:2] for shape in seen} == {(4, 3)}


def test_smaller_faces_are_the_same_faces(small_recipe):
    module = make_module(small_recipe(input_px=64, early_px=32, early_share=0.5))
    faces = make_batch(side=32)[0]
    doubled = faces.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    small = module._resize(module.normalise(doubled))
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    torch.testing.assert_close(
        functional.avg_pool2d(small, 3, 1)[inner],
        functional.avg_pool2d(module.normalise(faces), 3, 1)[inner],
        atol=0.15,
        rtol=0,
    )


def test_early_size_that_is_not_smaller_has_no_effect(small_recipe):
    module = make_module(small_recipe(input_px=32, early_px=64, early_share=0.5))
    faces = make_batch(side=32)[0]
    assert module._resize(module.normalise(faces)).shape == (4, 3, 32, 32)


def test_votes_head_adds_its_weighted_cross_entropy(small_recipe):
    module = make_module(small_recipe(**{**PLAIN, "votes_head": 0.5}))
    batch = make_batch()
    logits, vote_logits, *_ = run_heads(module, batch)
    expected = functional.cross_entropy(logits, batch[1]) + 0.5 * functional.cross_entropy(
        vote_logits, batch[2][:, :7]
    )
    torch.testing.assert_close(module.loss(batch), expected)


def test_loss_on_the_labels_has_a_weight_of_its_own(small_recipe):
    batch = make_batch()
    halved = make_module(small_recipe(**{**PLAIN, "label_head": 0.5})).loss(batch)
    torch.testing.assert_close(halved, make_module(small_recipe(**PLAIN)).loss(batch) / 2)


def test_distance_of_votes_takes_its_share_of_their_loss(small_recipe):
    values = {**PLAIN, "votes_head": 1, "label_head": 0, "votes_distance": 0.25}
    module = make_module(small_recipe(**values))
    batch = make_batch()
    votes = batch[2][:, :7]
    logits = run_heads(module, batch).crowd
    distance = (torch.softmax(logits, dim=1) - votes).clamp(min=0).sum(dim=1).mean()
    expected = 0.75 * functional.cross_entropy(logits, votes) + 0.25 * distance
    torch.testing.assert_close(module.loss(batch), expected)
    assert module.loss(make_batch(has_votes=False)) == 0


def test_doubt_of_the_crowd_is_learnt_with_its_weight(small_recipe):
    module = make_module(small_recipe(**{**PLAIN, "votes_head": 1, "doubt": 0.5}))
    plain = make_module(small_recipe(**{**PLAIN, "votes_head": 1}))
    batch = make_batch()
    logits = run_heads(module, batch).doubt
    target = torch.full((4,), 0.1)
    extra = functional.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(module.loss(batch), plain.loss(batch) + 0.5 * extra)
    assert "doubt" not in " ".join(module.final_network.state_dict())


def test_faces_without_votes_add_nothing_to_the_votes_head(small_recipe):
    module = make_module(small_recipe(**{**PLAIN, "votes_head": 0.5}))
    batch = make_batch(has_votes=False)
    expected = functional.cross_entropy(run_heads(module, batch)[0], batch[1])
    torch.testing.assert_close(module.loss(batch), expected)


def test_shape_head_adds_its_weighted_error_over_faces_with_a_known_shape(small_recipe):
    module = make_module(small_recipe(**PLAIN, shape=0.3), shapes=True)
    shapes = torch.randn(4, SHAPE_VALUES, generator=torch.Generator().manual_seed(1))
    shapes[1] = torch.nan
    batch = (*make_batch()[:3], shapes, torch.zeros(4, 0))
    result = run_heads(module, batch)
    known = [0, 2, 3]
    expected = functional.cross_entropy(result.emotions, batch[1]) + 0.3 * functional.mse_loss(
        result.shapes[known], shapes[known]
    )
    torch.testing.assert_close(module.loss(batch), expected)
    none = (*batch[:3], torch.full((4, SHAPE_VALUES), torch.nan), batch[4])
    loss = module.loss(none)
    torch.testing.assert_close(loss, functional.cross_entropy(result.emotions, batch[1]))
    loss.backward()
    assert module.headed.shapes.weight.grad.abs().max() == 0


def test_auxiliary_head_of_inception_adds_its_weighted_cross_entropy(small_recipe):
    recipe = small_recipe("inception_v3", **PLAIN, input_px=75, auxiliary=0.3)
    module = make_module(recipe)
    batch = make_batch(side=75, size=2)
    result = run_heads(module, batch)
    logits, auxiliary = result.emotions, result.auxiliary
    assert auxiliary.shape == (2, 7)
    expected = functional.cross_entropy(logits, batch[1]) + 0.3 * functional.cross_entropy(
        auxiliary, batch[1]
    )
    torch.testing.assert_close(module.loss(batch), expected)
    # The exported copy has no hooks of the training head.
    trunk = module.final_network.trunk
    assert not any(each._forward_hooks for each in trunk.modules())


def test_mixup_blends_faces_targets_and_votes_with_one_share(small_recipe):
    recipe = small_recipe(**{**PLAIN, "mixup_chance": 1, "mixup_alpha": 1, "votes_head": 0.5})
    module = make_module(recipe)
    batch = make_batch()
    seen = {}
    module.headed.register_forward_pre_hook(lambda _, given: seen.update(inputs=given[0]))
    torch.manual_seed(3)
    loss = module.loss(batch)
    # The same random numbers in the same order: chance, share, partners.
    torch.manual_seed(3)
    torch.rand(())
    share = torch.distributions.Beta(1.0, 1.0).sample()
    order = torch.randperm(4)
    assert 0.05 < share < 0.95
    plain = module.normalise(batch[0])
    torch.testing.assert_close(seen["inputs"], share * plain + (1 - share) * plain[order])
    targets, votes = (share * each + (1 - share) * each[order] for each in batch[1:3])
    logits, vote_logits, *_ = module.headed(seen["inputs"])
    expected = functional.cross_entropy(logits, targets) + 0.5 * functional.cross_entropy(
        vote_logits, votes[:, :7]
    )
    torch.testing.assert_close(loss, expected)


def test_mixup_is_left_out_by_chance_zero(small_recipe):
    module = make_module(small_recipe(**PLAIN))
    batch = make_batch()
    torch.manual_seed(1)
    first = module.loss(batch)
    torch.manual_seed(2)
    torch.testing.assert_close(module.loss(batch), first)


@pytest.mark.parametrize(
    ("progress", "factor"),
    [(0.0, 0.01), (0.05, 0.5), (0.1, 1.0), (0.55, 0.5), (0.325, 0.5 + math.sqrt(2) / 4), (1.0, 0)],
)
def test_learning_rate_rises_then_follows_the_cosine_to_zero(small_recipe, progress, factor):
    module = make_module(small_recipe(warmup=0.1))
    assert module.compute_rate_factor(progress) == pytest.approx(factor, abs=1e-9)


def test_without_warm_up_the_rate_starts_at_its_peak(small_recipe):
    assert make_module(small_recipe(warmup=0)).compute_rate_factor(0.0) == 1.0


def test_progress_is_by_clock_or_steps_whichever_is_further(small_recipe):
    module = make_module(small_recipe(), max_seconds=10.0)
    module._started -= 5.0
    assert module.progress == pytest.approx(0.5, abs=0.05)
    module._started -= 100.0
    assert module.progress == 1.0
    assert make_module(small_recipe()).progress == 0.0


def test_time_before_a_resume_counts(small_recipe):
    first, second = (make_module(small_recipe(), max_seconds=200.0) for _ in range(2))
    first._started -= 100.0
    checkpoint = {}
    first.on_save_checkpoint(checkpoint)
    second.on_load_checkpoint(checkpoint)
    assert second.elapsed_s == pytest.approx(100, abs=5)
    assert second.progress == pytest.approx(0.5, abs=0.05)


def test_norms_and_biases_have_no_weight_decay(small_recipe):
    module = make_module(small_recipe(weight_decay=0.05))
    decayed, plain = module.configure_optimizers().param_groups
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.05, 0.0)
    assert all(each.ndim > 1 for each in decayed["params"])
    assert all(each.ndim == 1 for each in plain["params"])
    count = len(decayed["params"]) + len(plain["params"])
    assert count == sum(1 for _ in module.headed.parameters())


def test_steps_on_one_batch_overfit_it(small_recipe):
    module = make_module(small_recipe(**PLAIN, learning_rate=0.003)).to(
        memory_format=torch.channels_last
    )
    batch = (
        make_batch()[0],
        torch.eye(7)[:4],
        torch.zeros(4, 8),
        torch.zeros(4, 0),
        torch.zeros(4, 0),
    )
    optimizer = module.configure_optimizers()
    losses = []
    for _ in range(25):
        loss = module.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_weight_average_follows_the_network_faster_at_first(small_recipe):
    module = make_module(small_recipe(ema_decay=0.9))
    network, key = module.headed.network, "head.bias"
    history = []
    for step in range(40):
        with torch.no_grad():
            network.head.bias.fill_(float(step))
        module.average.update_parameters(network)
        history.append(module.final_network.state_dict()[key][0].item())
    expected = [0.0]
    for step in range(1, 40):
        decay = min(0.9, (1 + step) / (10 + step))
        expected.append(decay * expected[-1] + (1 - decay) * step)
    assert history == pytest.approx(expected, rel=1e-5)
    assert not any(each.requires_grad for each in module.average.parameters())


def test_weight_average_includes_the_statistics_of_batch_normalisation(small_recipe):
    module = make_module(small_recipe())
    module.loss(make_batch())
    module.average.update_parameters(module.headed.network)
    name = "trunk.features.0.1.running_mean"
    trained = module.headed.network.state_dict()[name]
    assert trained.abs().max() > 0
    torch.testing.assert_close(module.final_network.state_dict()[name], trained)


def test_nan_loss_is_an_error_with_a_hint(small_recipe):
    module = make_module(small_recipe(learning_rate=0.002))
    with torch.no_grad():
        module.headed.network.head.bias.fill_(float("nan"))
    with pytest.raises(InferenceError, match="loss became nan") as raised:
        module.training_step(make_batch(), 0)
    assert "--set learning_rate=0.001" in raised.value.hint


def test_heads_of_training_share_the_network_s_features(small_recipe):
    recipe = small_recipe(**PLAIN)
    network = EmotionNetwork(find_architecture(recipe.model), crowd=True)
    headed = HeadedNetwork(network, recipe).eval()
    inputs = torch.randn(2, 3, 32, 32)
    logits, votes, *_ = headed(inputs)
    torch.testing.assert_close(torch.stack([logits, votes], dim=1), network(inputs))
    torch.testing.assert_close(votes, network.crowd(network.embed(inputs)))


def test_validation_compares_the_crowd_head_with_the_first_choice_of_the_crowd(small_recipe):
    module = make_module(small_recipe(**{**PLAIN, "votes_head": 0.5}))
    head = module.final_network.crowd
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([0.0, 0, 0, 2, 0, 0, 1]))  # happy, then neutral
    faces = make_batch(size=5)[0]
    crowd = torch.zeros(5, 7)  # nothing is known of the last face
    crowd[range(4), [3, 3, 6, 3]] = torch.tensor([1, 0.5, 1, 1])
    crowd[1, 6] = 0.5
    module.eval()
    module.on_validation_epoch_start()
    with torch.no_grad():
        module.validation_step((faces, torch.zeros(5, dtype=torch.long), crowd), 0)
    assert module.crowd_accuracy.compute().item() == pytest.approx(3 / 4)
    said = torch.log_softmax(head.bias, dim=0)
    halves = (0.5 * (math.log(0.5) - said[[3, 6]])).sum()
    expected = (-2 * said[3] + halves - said[6]) / 4
    torch.testing.assert_close(module.crowd_kl.compute(), expected)


def test_trunk_and_label_head_that_do_not_learn_keep_every_bit(small_recipe):
    recipe = small_recipe(**{**PLAIN, "votes_head": 1, "label_head": 0, "frozen_share": 1})
    module = make_module(recipe)
    before = {name: value.clone() for name, value in module.headed.state_dict().items()}
    module.headed.freeze(True)
    optimizer = module.make_optimizer(module.headed)
    module.loss(make_batch()).backward()
    optimizer.step()
    changed = {
        name
        for name, value in module.headed.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"network.crowd.weight", "network.crowd.bias"}


def test_only_the_heads_learn_while_the_trunk_is_frozen(small_recipe):
    module = make_module(small_recipe(**{**PLAIN, "votes_head": 0.5}))
    before = {name: value.clone() for name, value in module.headed.state_dict().items()}
    module.headed.freeze(True)
    module.loss(make_batch()).backward()
    gradients = {name for name, each in module.headed.named_parameters() if each.grad is not None}
    assert gradients == {
        "network.head.weight",
        "network.head.bias",
        "network.crowd.weight",
        "network.crowd.bias",
    }
    for name, value in module.headed.state_dict().items():
        assert torch.equal(value, before[name]), name
    module.headed.freeze(False)
    module.loss(make_batch()).backward()
    assert all(each.grad is not None for each in module.headed.parameters())
    changed = module.headed.state_dict()
    assert any(not torch.equal(changed[name], before[name]) for name in before)


@pytest.mark.parametrize(
    ("model", "first", "last", "layers"),
    [
        ("mobilenet_v2", "features.0.0.weight", "features.18.0.weight", 19),
        ("resnet50", "conv1.weight", "layer4.2.conv3.weight", 6),
        ("inception_v3", "Conv2d_1a_3x3.conv.weight", "Mixed_7c.branch_pool.conv.weight", 16),
    ],
)
def test_earlier_layers_learn_more_slowly(small_recipe, model, first, last, layers):
    side = {"inception_v3": 75}.get(model, 32)
    module = make_module(small_recipe(model, input_px=side, first_layer_rate=0.01))
    assert module.get_rate_factor(f"network.trunk.{first}") == pytest.approx(0.01)
    assert module.get_rate_factor(f"network.trunk.{last}") == 1
    assert module.get_rate_factor("network.head.weight") == 1
    groups = module.configure_optimizers().param_groups
    shares = sorted({group["rate_factor"] for group in groups})
    assert len(shares) == layers
    ratios = [high / low for low, high in itertools.pairwise(shares)]
    assert ratios == pytest.approx([100 ** (1 / (layers - 1))] * (layers - 1))
    counted = sum(each.numel() for group in groups for each in group["params"])
    assert counted == sum(each.numel() for each in module.headed.parameters())
