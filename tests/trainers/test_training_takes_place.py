"""A training does what its protocol says, held to one that is written out in the test."""

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space.operators.layers import DropPath
from tests.trainers.proofs import proves
from tests.trainers.reference_training import Reference, build_double, reference_training
from tests.trainers.tiny import SEEDS, architecture, small_data
from trainers import EpochResult, Protocol, SearchData, Seeds, Training
from trainers.evaluation import score
from trainers.training import build_network

BASE: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 32,
    "warmup_epochs": 1,
    "clip_norm": 1.0,
    "betas": (0.9, 0.99),
}
"""Three steps an epoch, of which the clipping changes every one."""

OTHERWISE: dict[str, tuple[Any, ...]] = {
    "epochs": (1, 3),
    "batch_size": (24, 50),
    "samples_per_epoch": (64, 130),
    "learning_rate": (2e-3,),
    "weight_decay": (0.0, 2.0),
    "weight_decay_exempt": ("one_dimensional",),
    "betas": ((0.5, 0.99), (0.9, 0.5), (0.5, 0.9)),
    "warmup_epochs": (0.0, 0.4, 2.0),
    "warmup_learning_rate": (0.0, 2e-3),
    "minimum_learning_rate": (0.0, 4e-3),
    "label_smoothing": (0.0, 0.5),
    "clip_norm": (None, 0.1),
    "weight_init": ("fan_in", "lecun"),
    "accumulation": (2, 4),
    "layer_decay": (0.5,),
}
CHANGES = [(name, value) for name, values in OTHERWISE.items() for value in values]


def network() -> Any:
    """Window attention in the paper's block: with tables of positions, and with batch norm."""
    mixer = {"locality": "window", "sharing": "channel", "dynamics": "attention", "heads": 2}
    return architecture(**mixer, kernel_size=4, position_bias=True)


def trained(
    protocol: Protocol, seeds: Seeds = SEEDS
) -> tuple[list[EpochResult], dict[str, Tensor]]:
    found = Training(network(), protocol, images(protocol), seeds=seeds, build=build_double)
    history = [found.run_epoch() for _ in range(protocol.epochs)]
    assert found.done
    return history, found.model.state_dict()


@cache
def images(protocol: Protocol) -> SearchData:
    return small_data(protocol, limit_train=96, limit_validation=50)


@cache
def referred(protocol: Protocol, seeds: Seeds = SEEDS) -> Reference:
    return reference_training(network(), protocol, images(protocol), seeds)


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def assert_same(protocol: Protocol, seeds: Seeds = SEEDS) -> Reference:
    history, state = trained(protocol, seeds)
    expected = referred(protocol, seeds)
    assert distance(state, expected.state) < 1e-6
    steps = len(expected.rates) // protocol.epochs
    close = {"rel": 1e-5, "abs": 1e-12}
    assert [e.learning_rate for e in history] == pytest.approx(
        expected.rates[steps - 1 :: steps], **close
    )
    assert [e.train_loss for e in history] == pytest.approx(expected.train_losses, **close)
    assert [e.validation_loss for e in history] == pytest.approx(
        expected.validation_losses, **close
    )
    assert [e.validation_accuracy for e in history] == expected.validation_accuracies
    return expected


@proves(*OTHERWISE)
@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_a_training_is_the_one_written_out(field: str, value: Any) -> None:
    base = referred(Protocol.from_dict(BASE))
    found = assert_same(Protocol.from_dict(BASE | {field: value}))
    assert distance(base.state, found.state) > 1e-5  # the field matters, so the test can fail


@proves("ema_decay")
@pytest.mark.parametrize("decay", [0.3, 0.99])
def test_the_average_of_the_weights_is_judged(decay: float) -> None:
    """It changes no weight that is trained, and every figure of the validation."""
    base = referred(Protocol.from_dict(BASE))
    found = assert_same(Protocol.from_dict(BASE | {"ema_decay": decay}))
    assert distance(base.state, found.state) == 0
    assert all(
        abs(one - other) > 1e-6
        for one, other in zip(base.validation_losses, found.validation_losses, strict=True)
    )


@pytest.mark.parametrize(
    "augmentation", [{"mixup": 0.8}, {"cutmix": 1.0}, {"random_erasing": 1.0}, {"crop_padding": 4}]
)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_it_trains_on_what_was_augmented(augmentation: dict[str, Any], smoothing: float) -> None:
    """The smoothing is in mixed targets already, and is not added again."""
    changed = BASE | {"label_smoothing": smoothing}
    found = assert_same(Protocol.from_dict(changed | {"augmentation": augmentation}))
    assert distance(found.state, referred(Protocol.from_dict(changed)).state) > 1e-4


def test_the_seeds_are_used() -> None:
    protocol = Protocol.from_dict(BASE)
    one = assert_same(protocol, Seeds(5, 6))
    for other in (Seeds(5, 7), Seeds(7, 6)):
        assert distance(one.state, referred(protocol, other).state) > 1e-4


class Watched:
    """Notes what a network computes with while it trains and is validated."""

    def __init__(self, drop_path: float = 0.0, seeds: Seeds = SEEDS, **written: Any) -> None:
        protocol = Protocol.from_dict(BASE | {"drop_path": drop_path} | written)
        data = images(protocol)
        self.training = Training(network(), protocol, data, seeds=seeds, build=self._build)
        self.types: set[tuple[bool, torch.dtype]] = set()
        self.kept: dict[str, list[Tensor]] = {}

    def _build(self, chosen: Any, rate: float) -> nn.Module:
        model = build_network(chosen, rate)
        for name, part in model.named_modules():
            if isinstance(part, nn.Conv2d):
                part.register_forward_hook(self._note_type)
            if isinstance(part, DropPath):
                part.register_forward_hook(lambda *given, name=name: self._note(name, *given))
        return model

    def _note_type(self, part: nn.Module, given: Any, result: Tensor) -> None:
        self.types.add((part.training, result.dtype))

    def _note(self, name: str, part: nn.Module, given: tuple[Tensor], result: Tensor) -> None:
        """By what every image of the branch was multiplied: the same everywhere in it."""
        if not part.training:
            assert torch.equal(result, given[0])
            return
        x, y = given[0].detach().flatten(1), result.detach().flatten(1)
        factors = (x * y).sum(1) / (x * x).sum(1)
        assert torch.allclose(y, x * factors[:, None], atol=1e-5)
        self.kept.setdefault(name, []).append(factors)


@proves("precision")
@pytest.mark.parametrize(
    ("precision", "kind"),
    [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_the_network_computes_in_the_precision_on_a_cpu(precision: str, kind: torch.dtype) -> None:
    """Also when it is validated."""
    found = Watched(precision=precision, epochs=1)
    found.training.run_epoch()
    assert found.types == {(True, kind), (False, kind)}


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("precision", "kind"),
    [("auto", torch.bfloat16), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
def test_the_network_computes_in_the_precision_on_a_gpu(precision: str, kind: torch.dtype) -> None:
    found = Watched(precision=precision, epochs=1)
    protocol, data = found.training.protocol, found.training.data
    on_gpu = Training(network(), protocol, data, seeds=SEEDS, build=found._build, device="cuda")
    on_gpu.run_epoch()
    assert found.types == {(True, kind), (False, kind)}


@proves("drop_path")
def test_drop_path_skips_branches_more_often_the_later_they_come() -> None:
    """Not at all in the first of the two blocks, and with the whole rate in the last."""
    found = Watched(drop_path=0.4, clip_norm=None)
    for _ in range(2):
        found.training.run_epoch()
    first, last = found.kept.values()
    assert torch.allclose(torch.cat(first), torch.ones(1))
    factors = torch.cat(last)
    dropped = factors.abs() < 1e-6
    assert torch.allclose(factors[~dropped], torch.tensor(1 / 0.6), atol=1e-4)
    assert len(factors) == 2 * 2 * 96  # two branches, two epochs
    assert 0.3 < float(dropped.float().mean()) < 0.5  # four standard deviations


def test_the_seed_of_the_order_of_images_draws_the_masks_and_that_of_the_weights_does_not() -> None:
    def masks(seeds: Seeds) -> list[list[float]]:
        found = Watched(drop_path=0.4, seeds=seeds, clip_norm=None)
        found.training.run_epoch()
        return [part.round().tolist() for part in list(found.kept.values())[1]]

    assert masks(Seeds(3, 4)) == masks(Seeds(9, 4)) != masks(Seeds(3, 5))


def test_drop_path_draws_anew_for_every_branch_step_and_epoch() -> None:
    found = Watched(drop_path=0.4, clip_norm=None)
    for _ in range(2):
        found.training.run_epoch()
    masks = [tuple(part.round().tolist()) for part in list(found.kept.values())[1]]
    assert len(masks) == 2 * 2 * 3
    assert len(set(masks)) == len(masks)


def test_a_validation_changes_nothing() -> None:
    """Neither the weights, nor what batch norm has seen, nor what is drawn afterwards."""
    found = Watched().training
    found.run_epoch()
    before = {name: value.clone() for name, value in found.model.state_dict().items()}
    drawn = torch.get_rng_state()
    loss = found._validate(1)
    assert (
        found._validate(1)
        == loss
        == (
            found.history[0].validation_loss,
            found.history[0].validation_accuracy,
        )
    )
    assert distance(before, found.model.state_dict()) == 0
    assert torch.equal(drawn, torch.get_rng_state())


def test_every_image_counts_alike_however_they_come_in_batches() -> None:
    """The mean is over images, not over batches, and none is left out."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 3))
    pixels, labels = torch.randn(30, 1, 3, 3), torch.arange(30) % 3
    device, protocol = torch.device("cpu"), Protocol()
    with torch.no_grad():
        chances = model(pixels).log_softmax(1)
    right = int((chances.argmax(1) == labels).sum())
    expected = (float(-chances[torch.arange(30), labels].mean()), right / 30)
    for sizes in ([30], [7, 20, 3], [1] * 30):
        parts = zip(pixels.split(sizes), labels.split(sizes), strict=True)
        loss, accuracy = score(model, parts, protocol, device)
        assert (loss, accuracy) == (pytest.approx(expected[0], rel=1e-5), expected[1])
