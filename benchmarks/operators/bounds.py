"""What a device can do at best, measured, and what a case needs: bytes and multiplications."""

from dataclasses import dataclass

import torch

from benchmarks.operators.cases import Case
from benchmarks.operators.stopwatch import timed
from space.cost.mixer_cost import token_mixer_cost
from space.layout import Layout, Plan


@dataclass(frozen=True)
class Bounds:
    """Of a device.

    Attributes:
        bytes_per_second: of a copy, what is read and what is written.
        macs_per_second: of a product of matrices in the type of the maps.
    """

    bytes_per_second: float
    macs_per_second: float

    @classmethod
    def measured(cls, device: torch.device, dtype: torch.dtype, tiny: bool = False) -> "Bounds":
        """By a copy that no cache holds, and a product of large matrices."""
        large = device.type == "cuda" and not tiny
        count = 1 << (29 if large else 16 if tiny else 25)
        edge = 8192 if large else 64 if tiny else 1024
        one = torch.randn(count, device=device, dtype=torch.float32)
        other = torch.empty_like(one)
        matrix = torch.randn(edge, edge, device=device).to(dtype)
        ways = {"copy": lambda: other.copy_(one), "product": lambda: matrix @ matrix}
        found = timed(ways, device, 1 if tiny else 7, 0)
        copied = 2 * one.numel() * one.element_size()
        return cls(1e3 * copied / found["copy"].low, 1e3 * edge**3 / found["product"].low)

    def milliseconds(self, case: Case, element: int) -> float:
        """The least that a forward pass takes.

        Maps are read and written once, and weights that are made of the map written and read once;
        or the multiplications take longer.

        Args:
            case: a mixer on a batch.
            element: bytes of a number.
        """
        cost = token_mixer_cost(case.mixer, case.width, case.size)
        maps = 2 * case.width * case.size.positions
        moved = element * (case.batch * (maps + 2 * _generated(case)) + cost.params)
        macs = case.batch * cost.macs
        return 1e3 * max(moved / self.bytes_per_second, macs / self.macs_per_second)


def _generated(case: Case) -> int:
    """Numbers that a generator writes for an image; those of attention need never be written."""
    source = case.mixer.dynamics.source
    if not source.dynamic or source.normalised:
        return 0
    plan = Plan.of(case.mixer, case.width, case.size)
    positions = 1 if plan.layout is Layout.KERNEL else case.size.positions
    return plan.outputs * plan.taps * positions
