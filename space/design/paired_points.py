"""The named operators in one skeleton: networks that differ by their token mixer alone.

Only such a comparison tells operators apart; a best network of each also differs in its sizes.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from space.architecture import Architecture, BlockType, Stage
from space.cost import cost
from space.design.feasible import FeasibleSet
from space.design.stage_options import Shape, StageOptions
from space.mixer import Mixer
from space.mixer_types import LITERATURE_NAMES, PAPER_NAMES

NAMED_OPERATORS = (*PAPER_NAMES, LITERATURE_NAMES["window/separable/full/channel/static"])
"""The nodes of the paper's relation graph, and Local MLP, which its text compares them with."""
PAIRED = "paired:"
"""The beginning of the origin of such a point; the name of the operator follows."""
MOST_SKELETONS = 500
_SIZES = ("kernel_size", "heads", "groups", "ratio")


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """All that the networks of a comparison have in common."""

    patch_size: int
    block_type: BlockType
    shapes: tuple[Shape, ...]


def paired_points(
    feasible: FeasibleSet, rng: np.random.Generator
) -> Iterator[tuple[str, Architecture]]:
    """One network for each named operator, all of one patch size, block type, widths, depths, MLPs.

    The skeleton is one into which the most operators fit, and of these the one of median MACs. Of
    several sizes of an operator, those are taken that most of the others have too.

    Args:
        feasible: with its hard limits, which all the networks keep.
        rng: draws skeletons, where there are more than `MOST_SKELETONS`.
    """
    names = named_operators(feasible)
    usual = _usual_sizes(feasible, names)
    found = [_fitted(feasible, skeleton, usual, names) for skeleton in _skeletons(feasible, rng)]
    most = max(map(len, found), default=0)
    fullest = [points for points in found if len(points) == most]
    fullest.sort(key=lambda points: sum(cost(point).macs for point in points.values()))
    if most > 1:  # one alone is compared with nothing
        for name, point in fullest[(len(fullest) - 1) // 2].items():
            yield PAIRED + name, point


def _skeletons(feasible: FeasibleSet, rng: np.random.Generator) -> list[_Skeleton]:
    """All, or so many drawn ones, each once."""
    block_types = feasible.block_types
    shapes = {
        patch: [options.shapes() for options in stages] for patch, stages in feasible.stages.items()
    }
    counts = [math.prod(map(len, offered)) for offered in shapes.values()]
    if sum(counts) * len(block_types) <= MOST_SKELETONS:
        return [
            _Skeleton(patch, block_type, chosen)
            for patch, offered in shapes.items()
            for block_type in block_types
            for chosen in itertools.product(*offered)
        ]
    patches = [patch for patch, count in zip(shapes, counts, strict=True) if count]
    drawn = (
        _Skeleton(
            (patch := patches[rng.integers(len(patches))]),
            block_types[rng.integers(len(block_types))],
            tuple(offered[rng.integers(len(offered))] for offered in shapes[patch]),
        )
        for _ in range(MOST_SKELETONS)
    )
    return list(dict.fromkeys(drawn))


def named_operators(feasible: FeasibleSet) -> tuple[str, ...]:
    """The named operators, and the custom mixers that the space has."""
    own = (mixer.name for mixer in _mixers(feasible) if mixer.is_custom)
    return tuple(dict.fromkeys((*NAMED_OPERATORS, *own)))


def _mixers(feasible: FeasibleSet) -> dict[Mixer, None]:
    stages = itertools.chain.from_iterable(feasible.stages.values())
    return dict.fromkeys(mixer for options in stages for mixer in options.mixers)


def _fitted(
    feasible: FeasibleSet, skeleton: _Skeleton, usual: Mapping[str, float], names: Sequence[str]
) -> dict[str, Architecture]:
    """The feasible network of each named operator, as far as there is one."""
    found = {}
    stages = feasible.stages[skeleton.patch_size]
    for name in names:
        chosen = [
            _stage(options, shape, name, usual)
            for options, shape in zip(stages, skeleton.shapes, strict=True)
        ]
        whole = tuple(stage for stage in chosen if stage is not None)
        if len(whole) == len(chosen):
            frame = feasible.frame
            point = frame.architecture(skeleton.patch_size, skeleton.block_type, whole)
            if not feasible.limits.violations(point):
                found[name] = point
    return found


def _stage(
    options: StageOptions, shape: Shape, name: str, usual: Mapping[str, float]
) -> Stage | None:
    """The stage whose blocks all have an operator; None where it does not fit."""
    width, depth, ratio = shape
    mixers = []
    for place in range(options.pattern_length(depth)):
        named = [m for m in options.choices(width, depth, place) if m.name == name]
        if not named:
            return None
        mixers.append(min(named, key=lambda mixer: _off(mixer, usual)))
    return Stage(depth, width, ratio, tuple(mixers))


def _off(mixer: Mixer, usual: Mapping[str, float]) -> float:
    """How far the sizes of a mixer are from the usual ones, in octaves."""
    sizes = ((getattr(mixer, name), usual.get(name)) for name in _SIZES)
    return sum(abs(math.log2(size / common)) for size, common in sizes if size and common)


def _usual_sizes(feasible: FeasibleSet, names: Sequence[str]) -> dict[str, float]:
    """For each size the value that the most named operators offer, the smallest of equals."""
    offered: dict[str, Counter[float]] = {name: Counter() for name in _SIZES}
    pairs = {
        (name, getattr(mixer, name), mixer.name)
        for mixer in _mixers(feasible)
        for name in _SIZES
        if mixer.name in names and getattr(mixer, name)
    }
    for name, value, _ in pairs:
        offered[name][value] += 1
    return {
        name: min(values, key=lambda value: (-values[value], value))
        for name, values in offered.items()
        if values
    }
