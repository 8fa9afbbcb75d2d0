"""A training written once more: slow, obvious, in double precision, without torch's optimiser.

It shares with `trainers` only the network, the batches and what a seed is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from space import Architecture
from trainers import Protocol, SearchData, Seeds
from trainers.training import build_network

LAYERS = ("stem.", "stages.0.", "stages.1.", "head.")
"""Of the network of these tests, whose stages have one block."""


def layers_behind(name: str) -> int:
    """How many layers come behind that of a parameter; a downsampling is of that before it."""
    place = name.removeprefix("network.").replace("downsamples.", "stages.")
    return next(len(LAYERS) - 1 - i for i, layer in enumerate(LAYERS) if place.startswith(layer))


class Double(nn.Module):
    """A network in double precision that takes the images as they come."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images.double())
        return logits

    def no_weight_decay(self) -> set[str]:
        return {name for name, _ in self.named_parameters() if "position_bias" in name}

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """As timm's models say their layers."""
        blocks = r"^network\.(?:stages|downsamples)\.(\d+)"
        return {"stem": r"^network\.stem", "blocks": blocks}


def build_double(architecture: Architecture, drop_path_rate: float) -> nn.Module:
    return Double(build_network(architecture, drop_path_rate))


@dataclass
class Reference:
    """What came of a training.

    Attributes:
        state: weights and buffers. rates: of every step. train_losses, validation_losses,
            validation_accuracies: of every epoch.
    """

    state: dict[str, Tensor]
    rates: list[float] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_accuracies: list[float] = field(default_factory=list)


def reference_training(
    architecture: Architecture, protocol: Protocol, data: SearchData, seeds: Seeds
) -> Reference:
    """Train as the protocol says; there is no drop path, whose masks are looked at elsewhere."""
    with torch.random.fork_rng():
        torch.manual_seed(seeds.initialisation)
        network = build_double(architecture, 0.0)
    if protocol.weight_init != "published":
        with torch.random.fork_rng():
            torch.manual_seed(seeds.initialisation)
            network = build_double(architecture, 0.0)
            _by_fan_in(network, generated=protocol.weight_init == "lecun")
    found = Reference({})
    average = {name: value.clone() for name, value in network.state_dict().items()}
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in _weights(network)}
    step, size = 0, protocol.batch_size
    steps = (protocol.samples_per_epoch or data.description.train_images) // size
    for epoch in range(1, protocol.epochs + 1):
        network.train()
        losses = []
        for images, targets in data.train_batches(epoch, seeds.data_order):
            assert len(images) == size  # the last incomplete one is dropped
            rate = learning_rate(step, protocol, steps)
            loss, gradients = _gradients(network, images, targets, protocol)
            step += 1
            with torch.no_grad():
                _update(network, _clipped(gradients, protocol), moments, step, rate, protocol)
            _averaged(average, network, step, protocol)
            losses.append(loss)
            found.rates.append(rate)
        assert len(losses) == steps
        found.train_losses.append(sum(losses) / len(losses))
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        if protocol.ema_decay is not None:
            network.load_state_dict(average)
        loss, accuracy = _validated(network, data)
        network.load_state_dict(weights)
        found.validation_losses.append(loss)
        found.validation_accuracies.append(accuracy)
    found.state = {name: value.clone() for name, value in network.state_dict().items()}
    return found


def _gradients(
    network: nn.Module, images: Tensor, targets: Tensor, protocol: Protocol
) -> tuple[float, tuple[Tensor, ...]]:
    """Of the mean loss; a part of the batch has every so-manieth pair of first and last image."""
    parts, size = protocol.accumulation, len(images)
    total, loss = tuple(torch.zeros_like(p) for _, p in _weights(network)), 0.0
    for part in range(parts):
        chosen = [i for i in range(size) if min(i, size - 1 - i) % parts == part or parts == 1]
        logits = network(images[chosen]).float()
        of_each = -(_soft(targets[chosen], protocol) * logits.log_softmax(1)).sum(1)
        found = torch.autograd.grad(of_each.sum() / size, [p for _, p in _weights(network)])
        total = tuple(one + other for one, other in zip(total, found, strict=True))
        loss += float(of_each.detach().sum()) / size
    return loss, total


def _by_fan_in(network: nn.Module, *, generated: bool) -> None:
    """LeCun et al. 1998; of a normal distribution that is cut off at two deviations.

    Of layers that generate mixing weights half of what they are given is 0, and what they give is
    summed over the inputs of the mixer.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            deviation = layer.weight[0].numel() ** -0.5 / 0.8796
            edges = {"a": -2 * deviation, "b": 2 * deviation}
            nn.init.trunc_normal_(layer.weight, std=deviation, **edges)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for name, layer in network.named_modules() if generated else ():
        if name.endswith("weights.expand"):
            plan = network.get_submodule(name.removesuffix(".expand")).plan
            layer.weight.data *= (plan.inputs * plan.taps / 2) ** -0.5  # type: ignore[operator, union-attr]


def _averaged(
    average: dict[str, Tensor], network: nn.Module, step: int, protocol: Protocol
) -> None:
    """The decay of a step that was behind it: 1 − step^(−2/3), at most that of the protocol."""
    decay = min(protocol.ema_decay or 0.0, 1 - step ** (-2 / 3))
    for name, value in network.state_dict().items():
        old = average[name]
        kept = decay * old + (1 - decay) * value if value.is_floating_point() else value
        average[name] = kept.clone()


def learning_rate(step: int, protocol: Protocol, steps_per_epoch: int) -> float:
    """A line up from the first rate, inside a half cosine over all steps."""
    warm = round(protocol.warmup_epochs * steps_per_epoch)
    top, first, low = (
        protocol.learning_rate,
        protocol.warmup_learning_rate,
        protocol.minimum_learning_rate,
    )
    if step < warm:
        return first + (top - first) * step / warm
    share = step / (protocol.epochs * steps_per_epoch + 1)
    return low + (top - low) * (1 + math.cos(math.pi * share)) / 2


def _weights(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return network.named_parameters()


def _soft(targets: Tensor, protocol: Protocol, classes: int = 10) -> Tensor:
    if targets.is_floating_point():  # pairs were mixed, and the smoothing is in them
        return targets
    one = nn.functional.one_hot(targets, classes).float()
    return one * (1 - protocol.label_smoothing) + protocol.label_smoothing / classes


def _clipped(gradients: tuple[Tensor, ...], protocol: Protocol) -> list[Tensor]:
    if protocol.clip_norm is None:
        return list(gradients)
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
    return [g * min(1.0, protocol.clip_norm / (norm + 1e-6)) for g in gradients]


def _decays(name: str, parameter: Tensor, protocol: Protocol) -> bool:
    if parameter.dim() <= 1 or name.endswith(".bias"):
        return False
    return protocol.weight_decay_exempt == "one_dimensional" or "position_bias" not in name


def _update(
    network: nn.Module,
    gradients: list[Tensor],
    moments: dict[str, tuple[Tensor, Tensor]],
    step: int,
    rate: float,
    protocol: Protocol,
) -> None:
    """AdamW (Loshchilov and Hutter, 2019, algorithm 2), with the decay beside the moments."""
    first, second = protocol.betas
    step_rate = rate
    for (name, weight), gradient in zip(_weights(network), gradients, strict=True):
        rate = step_rate * (protocol.layer_decay or 1.0) ** layers_behind(name)
        mean, square = moments[name]
        mean.copy_(first * mean + (1 - first) * gradient)
        square.copy_(second * square + (1 - second) * gradient**2)
        if _decays(name, weight, protocol):
            weight.sub_(rate * protocol.weight_decay * weight)
        unbiased = (square / (1 - second**step)).sqrt()
        weight.sub_(rate * mean / (1 - first**step) / (unbiased + 1e-8))


def _validated(network: nn.Module, data: SearchData) -> tuple[float, float]:
    network.eval()
    with torch.no_grad():
        logits = [network(images).float() for images, _ in data.validation_batches()]
    labels = torch.cat([labels for _, labels in data.validation_batches()])
    chances = torch.cat(logits).double().log_softmax(1)
    right = int((chances.argmax(1) == labels).sum())
    loss = float(-chances[torch.arange(len(labels)), labels].mean())
    return loss, right / len(labels)
