"""Which networks contain which, decided without torch: as the lift of real networks says."""

import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from space import Architecture, DesignSpace, InputError
from space.inclusion import InclusionKind, inclusion_kinds
from space.inclusion.mixer_inclusion import lift_refusal
from space.morphisms import lift
from space.networks import build
from tests.space.spaces import EVERYTHING, TINY, everything, paper_network


def lifts(parent: Architecture, child: Architecture) -> bool:
    """Whether the weights can be lifted; on the meta device only the index maps count."""
    try:
        with torch.device("meta"):
            lift(build(parent), child)
    except InputError:
        return False
    return True


def pairs(space: DesignSpace, points: int) -> list[tuple[Architecture, Architecture, bool]]:
    """Random points with neighbours in both directions, as many that are said to be contained."""
    rng, chance = np.random.default_rng(1), random.Random(1)
    found = []
    for _ in range(points):
        point = space.sample(rng)
        near = space.neighbours(point)
        ways = [(point, other) for other in near] + [(other, point) for other in near]
        chance.shuffle(ways)
        said = [(*way, inclusion_kinds(*way) is not None) for way in ways]
        found += [pair for pair in said if pair[2]][:3] + [pair for pair in said if not pair[2]][:3]
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("points", "least"), [(7, 12), pytest.param(12, 20, marks=pytest.mark.slow)]
)
def test_it_says_what_can_be_lifted(points: int, least: int) -> None:
    tried = pairs(everything(), points)
    assert [pair for pair in tried if lifts(*pair[:2]) != pair[2]] == []
    assert min(Counter(said for _, _, said in tried).values()) > least


def test_copies_of_channels_are_wide_enough_for_other_mixers_too() -> None:
    """Wider stages with their own heads and ratios: the mixers are compared at two widths."""
    chance, seen = random.Random(2), set()
    space, rng = everything(), np.random.default_rng(2)
    architectures = [space.sample(rng) for _ in range(40)]
    for point in architectures[:20]:
        other = chance.choice(architectures)
        stages = tuple(
            replace(stage, width=2 * stage.width, mixers=chance.choice([stage, near]).mixers)
            for stage, near in zip(point.stages, other.stages, strict=True)
        )
        try:
            child = replace(point, stages=stages)
        except InputError:
            continue  # the other's counts do not divide these widths
        kinds = inclusion_kinds(point, child)
        assert (kinds is not None) == lifts(point, child), (point.to_json(), child.to_json())
        seen.add(kinds is not None)
    assert seen == {True, False}


def test_the_kinds_name_every_step() -> None:
    small = paper_network("dw-s conv.", TINY, kernel_size=3)
    large = paper_network("dynamic dw-s conv.", TINY | {"depths": (2, 2, 8, 2)}, kernel_size=7)
    expected = {
        InclusionKind.SMALLER_KERNEL,
        InclusionKind.STATIC_IN_HOMOGENEOUS,
        InclusionKind.DEPTH,
    }
    assert set(inclusion_kinds(small, large) or ()) == expected
    assert inclusion_kinds(large, small) is None
    assert inclusion_kinds(small, small) == (InclusionKind.SAME,)


def test_it_is_cheap_enough_for_thousands_of_candidates() -> None:
    """A parent is looked for among all trained ones whenever a child is handed out."""
    stage = {"depth": 2, "width": 24, "mlp_ratio": 2, "pattern": 2}
    same_sizes = {"block_type": "conv", "stages": [stage, stage]}
    space, rng = DesignSpace.from_dict(EVERYTHING | same_sizes), np.random.default_rng(3)
    points = [space.sample(rng) for _ in range(100)]
    lift_refusal.cache_clear()
    started = time.process_time()
    found = sum(inclusion_kinds(a, b) is not None for a in points for b in points)
    seconds = time.process_time() - started
    print(f"\n{len(points) ** 2} pairs in {seconds:.2f} s, {found} inclusions")
    assert seconds < 10


def test_it_needs_no_torch() -> None:
    code = "import space.inclusion, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
