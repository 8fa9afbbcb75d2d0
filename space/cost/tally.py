"""The sum that costs are added up in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network or of a part of it, for one image.

    Attributes:
        params: trainable parameters.
        macs: multiply-accumulates of convolutions, linear maps and mixing sums, counted as torch
            counts them (padding included, norms and activations not). Papers print these as FLOPs.
        unseen_macs: the share of `macs` that torch's `FlopCounterMode` cannot see, because
            the sums over neighbourhoods are made by shifting and accumulating.
    """

    params: int = 0
    macs: int = 0
    unseen_macs: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.params + other.params,
            self.macs + other.macs,
            self.unseen_macs + other.unseen_macs,
        )

    @property
    def flops(self) -> int:
        """What papers call FLOPs: the multiply-accumulates."""
        return self.macs


def linear(inputs: int, outputs: int, positions: int, bias: bool = True) -> Cost:
    """A linear map of the channels at a number of positions."""
    return Cost(inputs * outputs + bias * outputs, inputs * outputs * positions)


def norm(width: int) -> Cost:
    """Batch or layer norm: a scale and an offset a channel; its arithmetic is not counted."""
    return Cost(params=2 * width)
