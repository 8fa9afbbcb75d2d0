"""The set of functions that a mixer can compute, and whether two mixers have the same one.

Found by computation, without the canonical form: a function is what the operator gives for a batch
of fixed random maps, enough of them to tell W apart. A family is a smooth image of its parameters,
so that its dimension is the rank of the Jacobian where that is largest. Families of one dimension
that lie in each other's linear span are compared by fitting: random members of either one must be
reached by the other, to rounding.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor
from torch.func import functional_call

from space import Mixer
from space.geometry import MapSize
from space.operators import TokenMixer

REACHED = 1e-8
"""Distance of unit vectors at which a member counts as reached; double precision leaves 1e-11."""
MEMBERS, STARTS, STEPS = 4, 3, 60


class Family:
    """The functions of a mixer at a width, on a map."""

    def __init__(self, mixer: Mixer, width: int, size: MapSize, shifted: bool = False) -> None:
        self.mixer = mixer
        operator = TokenMixer(mixer, width, size, shifted).double().eval()
        parameters = dict(operator.named_parameters())
        counts = [parameter.numel() for parameter in parameters.values()]
        self.count = sum(counts)
        images = max(16, width * size.positions + 1)
        chance = torch.Generator().manual_seed(7)
        shape = (2, images, width, size.height, size.width)
        values, context = torch.randn(shape, generator=chance, dtype=torch.float64)

        def outputs(flat: Tensor) -> Tensor:
            parts = zip(parameters.items(), flat.split(counts), strict=True)
            own = {name: part.reshape(old.shape) for (name, old), part in parts}
            result: Tensor = functional_call(operator, own, (values, context))
            return result.flatten()

        self.outputs: Callable[[Tensor], Tensor] = outputs

    def parameters(self, seed: int) -> Tensor:
        chance = torch.Generator().manual_seed(seed)
        return torch.randn(self.count, generator=chance, dtype=torch.float64)

    def jacobian(self, parameters: Tensor) -> Tensor:
        # Forward, as there are far more outputs than parameters.
        slopes: Tensor = torch.func.jacfwd(self.outputs)(parameters)
        return slopes

    @cached_property
    def members(self) -> list[Tensor]:
        """Random members with as many free directions as the family has, as unit vectors."""
        found = [(self._directions(seed), seed) for seed in range(MEMBERS)]
        self.dimension = max(directions for directions, _ in found)
        with torch.no_grad():
            given = [self.outputs(self.parameters(s)) for d, s in found if d == self.dimension]
        return [member / member.norm() for member in given]

    def _directions(self, seed: int) -> int:
        if self.count == 0:
            return 0
        values = torch.linalg.svdvals(self.jacobian(self.parameters(seed)))
        return int((values > 1e-8 * values[0]).sum())

    @cached_property
    def span(self) -> Tensor:
        """An orthonormal basis of the linear span."""
        with torch.no_grad():
            size = min(len(self.members[0]), 2 * self.count) + 20
            drawn = [self.outputs(self.parameters(100 + number)) for number in range(size)]
        rows = torch.stack([vector / vector.norm() for vector in drawn])
        _, values, basis = torch.linalg.svd(rows, full_matrices=False)
        return basis[values > 1e-9 * values[0]].T

    def spans(self, member: Tensor) -> bool:
        return bool((member - self.span @ (self.span.T @ member)).norm() < REACHED)

    def reaches(self, member: Tensor) -> bool:
        """Whether the family has this member, as far as fitting finds it (Levenberg–Marquardt)."""
        return any(self._distance(member, start) < REACHED for start in range(STARTS))

    def _distance(self, member: Tensor, start: int) -> float:
        at, damping = self.parameters(50 + start), 1e-2
        missing = self.outputs(at) - member
        for _ in range(STEPS):
            slopes = self.jacobian(at)
            square, downhill = slopes.T @ slopes, slopes.T @ missing
            for _ in range(8):
                step = torch.linalg.solve(square + damping * torch.eye(self.count), downhill)
                left = self.outputs(at - step) - member
                if left.norm() < missing.norm():
                    break
                damping *= 5
            else:
                break
            stuck = left.norm() > 1e-3 and left.norm() > 0.9995 * missing.norm()
            at, missing, damping = at - step, left, max(damping / 5, 1e-13)
            if stuck or missing.norm() < REACHED / 10:
                break
        return float(missing.norm())


def same(one: Family, other: Family) -> bool:
    """Whether two families have the same members, but for limits."""
    pairs = [(one, other.members), (other, one.members)]
    if one.dimension != other.dimension:
        return False
    if not all(family.spans(member) for family, members in pairs for member in members):
        return False
    return all(family.reaches(member) for family, members in pairs for member in members)
