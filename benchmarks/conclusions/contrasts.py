"""Differences between two operators, or two sizes of one, in networks alike in all else."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np

from benchmarks.table.read import TabularBenchmark
from search.effects import MARGIN, Estimate, SeedSpread, over_contexts
from search.effects.estimates import holm, verdict
from search.query.repeats import pooled

Operator = tuple[str, int | None]
"""The name of a type of mixer, and its kernel size or window, None where it has none."""
Step = tuple[Operator, Operator]
"""Source and target."""
Network = tuple[str, Operator]
"""The type of block, and the operator in it."""
Pair = tuple[Network, Network]
"""Source and target, in one type of block."""

COSTS = ("params", "macs")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference that is looked for, target less source.

    Attributes:
        name: in one line.
        steps: their mean in a type of block counts once, as blocks are what an effect may turn
            with. No network is in two steps.
    """

    name: str
    steps: tuple[Step, ...]


def at(source: str, target: str, kernels: Sequence[int | None]) -> tuple[Step, ...]:
    """From one operator to another at each kernel size, where they have one."""
    return tuple(((source, kernel), (target, kernel)) for kernel in kernels)


def larger(names: Sequence[str], before: int, after: int) -> tuple[Step, ...]:
    """From one kernel size to another, of each operator."""
    return tuple(((name, before), (name, after)) for name in names)


@dataclass(frozen=True, slots=True)
class Found:
    """What a table says of a contrast.

    Attributes:
        name: of the contrast.
        estimate: of the difference of accuracies, 0 to 1.
        wanted: contexts that the whole table has, of which each is a type of block.
        trainings: of the networks that are compared.
        ratios: by cost, the target's over the source's, geometric mean over contexts; NaN of none.
        verdict: in words, of all contrasts at once.
    """

    name: str
    estimate: Estimate
    wanted: int
    trainings: int
    ratios: Mapping[str, float]
    verdict: str = ""


class OneSkeleton:
    """The trainings of a table whose networks differ by operator, size and type of block alone.

    Args:
        benchmark: the table, or a part of it.
    """

    def __init__(self, benchmark: TabularBenchmark) -> None:
        self.trained: dict[Network, dict[int, float]] = {}
        self.costs: dict[Network, Mapping[str, float]] = {}
        for name, architecture in benchmark.architectures.items():
            mixer = architecture.stages[0].mixers[0]
            key = (architecture.block_type, (mixer.name, mixer.kernel_size))
            by_seed = benchmark.trainings(name)
            whole = {seed: t.accuracy for seed, t in by_seed.items() if t.failure is None}
            if whole:
                self.trained[key], self.costs[key] = whole, benchmark.known[name]
        self.block_types = sorted({a.block_type for a in benchmark.space().enumerate()})

    @property
    def seeds(self) -> SeedSpread | None:
        """How trainings of one network scatter; None where none was repeated."""
        spread = pooled([[*each.values()] for each in self.trained.values()])
        return None if spread is None else SeedSpread(spread.deviation, spread.freedom)

    def found(self, contrast: Contrast) -> Found:
        """What there is of a contrast, without a verdict."""
        pairs = list(self._pairs(contrast))
        by_block: dict[str, list[float]] = defaultdict(list)
        for source, target in pairs:
            by_block[source[0]].append(_difference(self.trained[source], self.trained[target]))
        means = np.array([mean(each) for each in by_block.values()])
        return Found(
            contrast.name,
            over_contexts(means, *self._error(pairs)),
            len(self.block_types),
            sum(len(self.trained[key]) for key in {key for pair in pairs for key in pair}),
            {name: self._ratio(name, pairs) for name in COSTS},
        )

    def _pairs(self, contrast: Contrast) -> Iterator[Pair]:
        """Networks of which both were trained with some common seed."""
        for block_type in self.block_types:
            for source, target in contrast.steps:
                pair = (block_type, source), (block_type, target)
                seeds = [set(self.trained.get(each, ())) for each in pair]
                if seeds[0] & seeds[1]:
                    yield pair

    def _error(self, pairs: Sequence[Pair]) -> tuple[float, float]:
        """The standard error that seeds alone leave to the mean, and its degrees of freedom."""
        seeds = self.seeds
        if seeds is None or not pairs:
            return 0.0, 0.0
        in_block = Counter(source[0] for source, _ in pairs)
        each = [
            2 / len(_common(self.trained[a], self.trained[b])) / in_block[a[0]] ** 2
            for a, b in pairs
        ]
        return seeds.deviation * math.sqrt(sum(each)) / len(in_block), seeds.freedom

    def _ratio(self, cost: str, pairs: Sequence[Pair]) -> float:
        if not pairs:
            return math.nan
        logs = [math.log(self.costs[b][cost] / self.costs[a][cost]) for a, b in pairs]
        return math.exp(sum(logs) / len(logs))


def _common(one: Mapping[int, float], other: Mapping[int, float]) -> list[int]:
    return sorted(one.keys() & other.keys())


def _difference(source: Mapping[int, float], target: Mapping[int, float]) -> float:
    """The mean over the seeds that both have."""
    seeds = _common(source, target)
    return sum(target[seed] - source[seed] for seed in seeds) / len(seeds)


def judged(found: Sequence[Found], margin: float = MARGIN) -> list[Found]:
    """The same with verdicts, corrected so that all hold at once (Holm)."""
    corrected = holm([each.estimate.p for each in found])
    return [
        replace(each, verdict=verdict(each.estimate, p, margin))
        for each, p in zip(found, corrected, strict=True)
    ]
