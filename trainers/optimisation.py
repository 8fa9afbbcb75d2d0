"""How weights change: the loss of a step, AdamW, the schedule of its rate, the moving average.

AdamW has timm's parameter groups and the rate timm's cosine with warm-up, both computed here: timm
brings torchvision along, and to import them takes every worker a second and more. The average is
timm's, which is imported where a protocol wants it.
"""

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.torchvision_support import prepare_torchvision
from trainers.protocol import Protocol
from trainers.timm_support import prepare_timm

if TYPE_CHECKING:
    from timm.utils import ModelEmaV3


def training_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with label smoothing.

    Args:
        logits: (batch, classes). targets: (batch,) labels, or (batch, classes) soft targets, which
            have the smoothing in them already.
    """
    soft = targets.is_floating_point()
    return functional.cross_entropy(logits, targets, label_smoothing=0.0 if soft else smoothing)


def make_optimiser(model: nn.Module, protocol: Protocol) -> torch.optim.AdamW:
    """AdamW; what `protocol.weight_decay_exempt` names is not decayed.

    With `protocol.layer_decay` its groups have an `lr_scale`, which the schedule multiplies by.
    """
    groups = _plain_groups(model, protocol)
    if protocol.layer_decay is not None:
        groups = _groups_by_layer(model, groups, protocol.layer_decay)
    # One fused pass over all parameters: small networks spend much of a step here otherwise.
    return torch.optim.AdamW(
        groups, lr=protocol.learning_rate, betas=protocol.betas, fused=True, weight_decay=0.0
    )


def _plain_groups(model: nn.Module, protocol: Protocol) -> list[dict[str, Any]]:
    """What is not decayed, and what is."""
    return groups_by_decay(model, protocol.weight_decay, _named_by(model, protocol))


def groups_by_decay(
    model: nn.Module, weight_decay: float, named: Iterable[str]
) -> list[dict[str, Any]]:
    """Parameter groups of what is not decayed, and of what is; only of what is trained.

    Args:
        model: of the parameters.
        weight_decay: of all but vectors, biases and what is named.
        named: patterns of names that are not decayed either.
    """
    exempt: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    patterns = tuple(named)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (exempt if _is_exempt(name, parameter, patterns) else decayed).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay}
        for parameters, decay in ((exempt, 0.0), (decayed, weight_decay))
        if parameters
    ]


def _groups_by_layer(
    model: nn.Module, groups: list[dict[str, Any]], layer_decay: float
) -> list[dict[str, Any]]:
    """The groups, cut by the layers that timm finds with the network's `group_matcher`.

    timm's own `param_groups_layer_decay` decays biases that are no vectors, which nothing else here
    does; so it is asked for the layers alone.
    """
    prepare_torchvision()
    from timm.models import group_parameters

    matcher = getattr(model, "group_matcher", layers_of)
    layers = group_parameters(model, matcher(coarse=False), reverse=True)
    last = max(layers.values())
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found: dict[tuple[int, float], dict[str, Any]] = {}
    for group in groups:
        for parameter in group["params"]:
            layer, decay = layers.get(names[id(parameter)], last), group["weight_decay"]
            new = {"params": [], "weight_decay": decay, "lr_scale": layer_decay ** (last - layer)}
            found.setdefault((layer, decay), new)["params"].append(parameter)
    return list(found.values())


def layers_of(coarse: bool = False) -> dict[str, Any]:
    """The layers of our networks, as timm's `group_matcher` says them: stem, blocks, head.

    A downsampling belongs to the last block before it.
    """
    blocks = r"^stages\.(\d+)" if coarse else r"^stages\.(\d+)\.(\d+)"
    with_previous = (99999,)  # timm's MATCH_PREV_GROUP
    return {"stem": r"^stem", "blocks": [(blocks, None), (r"^downsamples\.(\d+)", with_previous)]}


def _is_exempt(name: str, parameter: nn.Parameter, named: Iterable[str]) -> bool:
    """As timm has it: vectors, biases, and what the network names, also by patterns."""
    if parameter.ndim <= 1 or name.endswith(".bias"):
        return True
    return any(fnmatchcase(name, pattern) for pattern in named)


def _named_by(model: nn.Module, protocol: Protocol) -> set[str]:
    """The parameters that the network itself leaves out, where the protocol listens to it."""
    names = getattr(model, "no_weight_decay", None)
    return (
        set(names()) if names is not None and protocol.weight_decay_exempt == "network" else set()
    )


class CosineSchedule:
    """The learning rate of every step: linear warm-up inside one cosine over all epochs.

    To the last bit the rates of timm's `CosineLRScheduler` by step.

    Args:
        optimiser: whose rate is set. protocol: of the rates and lengths.
        steps_per_epoch: batches of an epoch.
    """

    def __init__(
        self, optimiser: torch.optim.Optimizer, protocol: Protocol, steps_per_epoch: int
    ) -> None:
        self._optimiser = optimiser
        self._peak = protocol.learning_rate
        self._first = protocol.warmup_learning_rate
        self._least = protocol.minimum_learning_rate
        self._warmup = round(protocol.warmup_epochs * steps_per_epoch)
        # A step more, so that even the last step moves, and a run of one step is not all end.
        self._length = protocol.epochs * steps_per_epoch + 1

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0 over all epochs; a function of the step alone."""
        if step < self._warmup:
            return self._first + step * ((self._peak - self._first) / self._warmup)
        falling = 0.5 * (1 + math.cos(math.pi * step / self._length))
        return self._least + (self._peak - self._least) * falling

    def step_update(self, step: int) -> None:
        """Set the rate of a step, before it is made."""
        rate = self.rate(step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group.get("lr_scale", 1.0)


def make_average(model: nn.Module, protocol: Protocol) -> "ModelEmaV3 | None":
    """The exponential moving average of parameters and buffers, where the protocol wants it.

    It begins as a copy of the model, which is on its device. `average.update(model, step)` takes in
    the weights behind a step, counted from 1 over all epochs. The decay rises with the steps to its
    value, so that the first weights are soon forgotten, and is a function of the step alone:
    nothing of it has to be kept.
    """
    if protocol.ema_decay is None:
        return None
    prepare_timm()
    from timm.utils import ModelEmaV3

    return ModelEmaV3(model, decay=protocol.ema_decay, use_warmup=True)


def make_scaler(protocol: Protocol) -> torch.amp.GradScaler | None:
    """What scales the loss of float16, whose small gradients would be 0; None for others."""
    return torch.amp.GradScaler("cuda") if protocol.precision == "float16" else None
