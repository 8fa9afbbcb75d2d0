"""First points of a search: named operators, hybrids, and every axis value still untouched."""

import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from space.architecture import Architecture
from space.axes import AXES, Locality
from space.design.feasible import FeasibleSet
from space.design.paired_points import NAMED_OPERATORS, named_operators, paired_points
from space.design.stage_options import Keep, StageOptions
from space.mixer import Mixer
from space.mixer_types import mixer_type_named

Points = Iterator[tuple[str, Architecture]]
"""Architectures, each with where it comes from."""
SampleWhere = Callable[[Sequence[Keep | None]], Architecture | None]
"""Draws an architecture whose mixers are kept, given a condition for each stage."""

_TOUCHED = (*AXES, "kernel_size")
_DRAWS = 32


def initial_points(
    feasible: FeasibleSet, kinds: Sequence[str], rng: np.random.Generator
) -> list[tuple[str, Architecture]]:
    """Points to begin a search with; see `DesignSpace.initial_points`."""

    def sample(keep: Sequence[Keep | None]) -> Architecture | None:
        return feasible.kept(keep).sample_once(rng)

    stages = len(next(iter(feasible.stages.values())))
    points: list[tuple[str, Architecture]] = []
    if "paired" in kinds:
        points += paired_points(feasible, rng)
    if "named" in kinds:
        points += _named_points(stages, sample, named_operators(feasible))
    if "hybrid" in kinds:
        points += _hybrid_points(feasible, rng, [point for _, point in points])
    if "axes" in kinds:
        touched = {pair for _, a in points for m in a.mixers() for pair in axis_values(m)}
        points += _axis_points(_offered_values(feasible), touched, sample)
    return list({point.id: (origin, point) for origin, point in points}.values())


def axis_values(mixer: Mixer) -> set[tuple[str, str]]:
    """(axis, value) pairs of a mixer; the kernel size counts as an axis."""
    if mixer.is_custom:  # its marks say little of it: it is a value of its own
        return {("operator", mixer.name)}
    pairs = ((name, getattr(mixer, name)) for name in _TOUCHED)
    return {(name, str(value)) for name, value in pairs if value is not None}


def _offered_values(feasible: FeasibleSet) -> list[set[tuple[str, str]]]:
    """The axis values of each stage's mixers."""
    offered = []
    for column in zip(*feasible.stages.values(), strict=True):
        mixers = (
            options.choices(width, depth, 0)
            for options in column
            for width, depth, _ in options.shapes()
        )
        offered.append(set().union(*map(axis_values, itertools.chain.from_iterable(mixers))))
    return offered


def _is_named(name: str, mixer: Mixer) -> bool:
    return mixer.name == name


def _has_value(pair: tuple[str, str], mixer: Mixer) -> bool:
    return pair in axis_values(mixer)


def _is_local(mixer: Mixer) -> bool:
    return mixer.locality not in (Locality.GLOBAL, None)


def _named_points(stages: int, sample: SampleWhere, names: Sequence[str]) -> Points:
    """One architecture for each named operator that all stages of the space can have."""
    for name in names:
        architecture = sample([partial(_is_named, name)] * stages)
        if architecture is not None:
            yield f"named:{name}", architecture


def _hybrid_points(
    feasible: FeasibleSet, rng: np.random.Generator, known: Sequence[Architecture]
) -> Points:
    """Convolutions in all stages but the last, which has a global operator: a network for each.

    Convolutions early and attention late is what CoAtNet (Dai et al., 2021) found best. With a
    single stage there is none.
    """
    before = list(known)
    for name in NAMED_OPERATORS:
        if mixer_type_named(name).locality is Locality.GLOBAL:
            point = _hybrid(feasible, name, rng, before)
            if point is not None:
                before.append(point)
                yield f"hybrid:{name}", point


def _hybrid(
    feasible: FeasibleSet, name: str, rng: np.random.Generator, others: Sequence[Architecture]
) -> Architecture | None:
    """The hybrid of a global operator: of the finest tokens, and of sizes unlike those of others.

    Convolutions are for many tokens, and random sizes often leave out what decides. Where no
    network has the convolutions, any local operators stand for them.
    """
    for patch in sorted(feasible.stages):
        *early, _ = stages = feasible.stages[patch]
        for local in ([_nearest_to_convolution(each) for each in early], [_is_local] * len(early)):
            part = replace(feasible, stages={patch: stages})
            part = part.kept([*local, partial(_is_named, name)])
            point = part.sample_once(rng) if early else None
            if point is not None:
                more = (part.sample_once(rng) for _ in range(_DRAWS - 1))
                drawn = [point, *(each for each in more if each is not None)]
                return max(drawn, key=lambda point: _differences(point, others))
    return None


def _nearest_to_convolution(stage: StageOptions) -> Keep:
    """A condition that a stage's mixers can fulfil: convolution, one like it, or local."""
    wanted = (partial(_is_named, "Conv."), _is_like_convolution, _is_local)
    return next((keep for keep in wanted if any(map(keep, stage.mixers))), _is_local)


def _is_like_convolution(mixer: Mixer) -> bool:
    return mixer.locality is Locality.SLIDING and not mixer.dynamics.source.dynamic


def _differences(point: Architecture, others: Sequence[Architecture]) -> tuple[int, int]:
    """In how many decisions a point differs from others: from the nearest, and from all."""
    traits = _traits(point)
    counts = [sum(map(operator.ne, traits, _traits(other))) for other in others]
    return min(counts, default=0), sum(counts)


def _traits(point: Architecture) -> list[object]:
    stages = ((s.width, s.depth, s.mlp_ratio, s.mixers) for s in point.stages)
    return [point.stem.patch_size, point.block_type, *itertools.chain.from_iterable(stages)]


def _axis_points(
    offered: list[set[tuple[str, str]]], touched: set[tuple[str, str]], sample: SampleWhere
) -> Points:
    """Architectures that together touch every axis value that is offered and not yet touched."""
    for pair in sorted(set().union(*offered)):
        if pair in touched:
            continue
        has_it = partial(_has_value, pair)
        architecture = sample([has_it if pair in values else None for values in offered])
        if architecture is not None:
            touched |= set().union(*(axis_values(m) for m in architecture.mixers()))
            yield f"axes:{pair[0]}={pair[1]}", architecture
