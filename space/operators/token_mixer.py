"""Any mixer of the algebra as a module, composed as its table is: weights, aggregator, rank."""

from typing import Any

import torch
from torch import Tensor, fx, nn

from space.axes import Rank
from space.canonical import without_unit_factor
from space.errors import InputError, refuse
from space.geometry import MapSize, width_problems
from space.layout import Plan
from space.mixer import Mixer
from space.operator_choice import PathName
from space.operators.aggregators import AGGREGATORS
from space.operators.rank import RANKS
from space.operators.recording import recorded_for_any_batch
from space.source_registry import of_source

fx.wrap("refuse_other_size")


class WeightedSum(nn.Module):
    """y[p] = Σ_q W[p, q](x) · x[q] + bias: a weight source and an aggregator."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.weights: nn.Module = of_source(plan.mixer.dynamics, "module", "Weights")(plan)
        self.aggregate = AGGREGATORS[plan.layout](plan)

    def _by_its_weights(self, x: Tensor) -> bool:
        applies = getattr(self.weights, "applies_itself", None)
        return applies is not None and applies(x)

    def path(self, x: Tensor) -> PathName | None:
        """Which path sums of such maps take; None where there is one alone.

        Raises:
            InputError: they shall be fused, and there are no kernels.
        """
        of_weights = getattr(self.weights, "may_apply_itself", False)
        part: Any = self.weights if of_weights else self.aggregate
        path: PathName | None = part.path(x) if hasattr(part, "path") else None
        return path

    def forward(self, values: Tensor, targets: Tensor, sources: Tensor) -> Tensor:
        """values and sources (B, C, h, w), targets (B, C, H, W) to (B, C, H, W)."""
        mixed: Tensor
        if self._by_its_weights(values):
            mixed = self.weights.applied(values, targets, sources)  # type: ignore[operator]
        else:
            mixed = self.aggregate(values, self.weights(targets, sources))
        return mixed


class TokenMixer(nn.Module):
    """A token mixer on maps of one size.

    Args:
        mixer: the mixer; a ratio of 1 is no factor, and none is built.
        width: channels C of the map.
        size: height and width of the map, in positions.
        shifted: whether window tiles are moved (every second block of a stage).

    Raises:
        InputError: if groups, heads or ratio do not divide the width.
    """

    def __init__(self, mixer: Mixer, width: int, size: MapSize, shifted: bool = False) -> None:
        super().__init__()
        refuse(width_problems(mixer, width))
        mixer = without_unit_factor(mixer)
        self.mixer = mixer
        self.label = mixer.label
        self.width = width
        self.size = size
        self.plan = Plan.of(mixer, width, size, shifted)
        self.rank = RANKS[mixer.rank](mixer, width, self.plan)
        # The joint factors are all there is: nothing is mixed between them.
        self.mixing = None if mixer.rank is Rank.JOINT else WeightedSum(self.plan)
        self.bias = nn.Parameter(torch.zeros(width)) if mixer.bias else None

    def forward(self, values: Tensor, context: Tensor | None = None) -> Tensor:
        """Mixes the tokens.

        Args:
            values: (B, C, H, W), what is summed.
            context: (B, C, H, W), what dynamic weights are made from; the values by default.

        Returns:
            (B, C, H, W).

        Raises:
            InputError: for a map of another size, where the mixer keeps weights, tiles or masks
                of the one that it was built for.
        """
        height, width = values.shape[2:]
        if not self.plan.takes_any_size and not recorded_for_any_batch():
            refuse_other_size(height, width, self.size.height, self.size.width, self.label)
        inputs = self.rank.enter(values, values if context is None else context)
        mixed = inputs.values if self.mixing is None else self.mixing(*inputs)
        y = self.rank.leave(mixed)[:, :, :height, :width]
        return y if self.bias is None else y + self.bias[:, None, None]

    def extra_repr(self) -> str:
        """The mixer in words, for the printed network; and its path, where there are two."""
        words = f"{self.label}, {self.width} channels, {self.size.height}×{self.size.width}"
        parameter = next(self.parameters(), torch.empty(0))
        try:
            path: str | None = None if self.mixing is None else self.mixing.path(parameter)
        except InputError:  # said where it runs
            path = "no kernels"
        return words if path is None else f"{words}, {path}"


def refuse_other_size(height: int, width: int, rows: int, columns: int, label: str) -> None:
    """Nothing, for a map of the size that a mixer was built for.

    Raises:
        InputError: for another.
    """
    if (height, width) != (rows, columns):
        built = f"{label} was built for maps of {rows}×{columns} positions"
        message = f"{built} and got one of {height}×{width}; build it for that size"
        raise InputError.of("size", message)
