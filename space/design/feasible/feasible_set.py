"""The feasible architectures of a space, or of a part of it: counted, listed and drawn."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from space.architecture import Architecture, BlockType
from space.design.feasible.chain import Chain
from space.design.feasible.cost_sums import SpaceTooLarge
from space.design.feasible.counting import count_feasible
from space.design.feasible.frontier import Frontier, list_stages
from space.design.feasible.grid_sampling import FeasibleSampler
from space.design.feasible.least import least
from space.design.hard_limits import Limits
from space.design.stage_options import Keep, StageOptions, pick
from space.frame import Frame

TRIES = 20_000
"""Draws before a search for a feasible architecture gives up."""
PROBES = 64
OFTEN = 8
"""Where so many of the probes are feasible, drawing until one is serves."""


@dataclass(frozen=True)
class FeasibleSet:
    """The architectures that a space allows and whose costs keep the hard limits.

    Attributes:
        frame, block_types: as in the space.
        limits: the hard limits.
        stages: for each patch size what the stages may be; none of them is empty.
    """

    frame: Frame
    block_types: tuple[BlockType, ...]
    limits: Limits
    stages: dict[int, tuple[StageOptions, ...]]

    def kept(self, keep: Sequence[Keep | None]) -> "FeasibleSet":
        """The part whose mixers fulfil the condition of their stage."""
        kept = {
            patch: tuple(o.kept(condition) for o, condition in zip(stages, keep, strict=True))
            for patch, stages in self.stages.items()
        }
        return replace(
            self, stages={p: s for p, s in kept.items() if all(options.shapes() for options in s)}
        )

    def size(self) -> int:
        """Number of distinct architectures before the limits."""
        return len(self.block_types) * sum(self._sizes)

    def count(self) -> int:
        """Number of distinct feasible architectures; see `DesignSpace.count`."""
        return sum(count_feasible(chain) for chain in self._chains)

    def enumerate(self) -> Iterator[Architecture]:
        """Every feasible architecture once, lazily; see `DesignSpace.enumerate`."""
        for chain in self._chains:
            yield from map(chain.architecture, list_stages(chain))

    def is_empty(self) -> bool:
        """Whether nothing is feasible; told from drawing where a table would be too large."""
        try:
            return all(Frontier(chain).is_empty() for chain in self._chains)
        except SpaceTooLarge:
            return self.draw(np.random.default_rng(0), TRIES) is None

    def least(self) -> dict[str, tuple[int, Architecture]]:
        """For each quantity that has a limit, the least that a network needs, and a network."""
        return {
            name: min((least(chain, name) for chain in self._chains), key=lambda each: each[0])
            for name in self.limits.to_dict()
        }

    def sample(self, rng: np.random.Generator) -> Architecture | None:
        """A feasible architecture, uniformly; None if none was met in many draws."""
        return self.draw(rng, TRIES) if self._often_feasible else self._sampler.draw(rng, TRIES)

    def sample_once(self, rng: np.random.Generator) -> Architecture | None:
        """The same, without deciding beforehand how to draw; for a part that is drawn from once."""
        architecture = self.draw(rng, PROBES)
        if architecture is not None or self.limits == Limits():
            return architecture
        try:
            return self._sampler.draw(rng, TRIES)
        except SpaceTooLarge:
            return self.draw(rng, TRIES)

    def draw(self, rng: np.random.Generator, tries: int) -> Architecture | None:
        """A feasible architecture, by drawing until one is; None if none was in so many tries."""
        for _ in range(tries if self.stages else 0):
            patch = pick(rng, list(self.stages), self._sizes)
            stages = tuple(options.sample(rng) for options in self.stages[patch])
            block_type = self.block_types[rng.integers(len(self.block_types))]
            architecture = self._chain(patch, block_type).architecture(stages)
            if not self.limits.violations(architecture):
                return architecture
        return None

    @cached_property
    def _sizes(self) -> list[int]:
        return [math.prod(o.count() for o in stages) for stages in self.stages.values()]

    @cached_property
    def _chains(self) -> list[Chain]:
        return [
            self._chain(patch, block_type)
            for patch in self.stages
            for block_type in self.block_types
        ]

    def _chain(self, patch: int, block_type: BlockType) -> Chain:
        return Chain(self.frame, patch, block_type, self.stages[patch], self.limits)

    @cached_property
    def _sampler(self) -> FeasibleSampler:
        return FeasibleSampler(self._chains)

    @cached_property
    def _often_feasible(self) -> bool:
        """Whether plain draws meet the limits often enough, or nothing else can be done."""
        if self.limits == Limits():
            return True
        rng = np.random.default_rng(0)
        if sum(self.draw(rng, 1) is not None for _ in range(PROBES)) >= OFTEN:
            return True
        try:
            return self._sampler.is_empty
        except SpaceTooLarge:
            return True
