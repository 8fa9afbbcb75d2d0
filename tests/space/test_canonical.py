"""The canonical form: every fold proved by equal outputs, and no equal functions left apart."""

import itertools
import random
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from space import Mixer, all_mixer_types, mixer_type_named
from space.axes import Dynamics, Locality, Rank
from space.canonical import FOLDS, canonical
from space.geometry import MapSize, generator_width, width_problems
from space.operators import TokenMixer
from space.structure.entries import IntArray, PositionEntries, channel_entries
from tests.space.carrying import carry, fold_steps
from tests.space.strategies import map_sizes, mixers_of, type_fields
from tests.space.test_operators_against_reference import randomise


def operators(
    mixers: tuple[Mixer, Mixer], width: int, size: MapSize, shifted: bool
) -> tuple[TokenMixer, TokenMixer]:
    made = [TokenMixer(mixer, width, size, shifted).double().eval() for mixer in mixers]
    for operator in made:
        randomise(operator)
    return made[0], made[1]


def assert_carried(
    source: TokenMixer, target: TokenMixer, values: torch.Tensor, context: torch.Tensor
) -> None:
    carry(source, target)
    torch.testing.assert_close(
        target(values, context), source(values, context), rtol=1e-9, atol=1e-9
    )


def assert_fold_keeps_the_functions(
    before: Mixer, after: Mixer, width: int, size: MapSize, shifted: bool
) -> None:
    """Each contains the other."""
    shape = (2, width, size.height, size.width)
    values, context = torch.randn(2, *shape, dtype=torch.float64)
    for pair in ((before, after), (after, before)):
        assert_carried(*operators(pair, width, size, shifted), values, context)


@given(mixers_of(all_mixer_types()), map_sizes(), st.booleans(), st.integers(0, 2**20))
@settings(max_examples=200, deadline=None)
def test_every_fold_keeps_the_functions(
    drawn: tuple[Mixer, int], size: MapSize, shifted: bool, seed: int
) -> None:
    mixer, width = drawn
    torch.manual_seed(seed)
    last = mixer
    for before, last in fold_steps(mixer, width, size):
        assert_fold_keeps_the_functions(before, last, width, size, shifted)
    assert last == canonical(mixer, width, size)


Act = tuple[Mixer, Mixer, int, MapSize]
"""A mixer, what a fold makes of it, their width and map."""


def sort_of(act: Act) -> tuple[Any, ...]:
    """What decides how a mixer folds, and into what: a sample of acts would miss rare sorts."""
    mixer, after, width, size = act
    counts = mixer.groups, mixer.heads
    sets = [None if count is None else (count == 1, count == width) for count in counts]
    before = mixer.dynamics, mixer.rank, mixer.reduction, mixer.reduction_norm
    return *before, *sets, after.rank, after.channels, size.positions == 1


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.__name__)
def test_every_fold_acts_somewhere_and_keeps_the_functions(fold: Any) -> None:
    torch.manual_seed(0)
    acts: list[Act] = [
        (mixer, after, width, size)
        for width, size in ((1, MapSize(2, 2)), (4, MapSize(1, 1)), (4, MapSize(2, 3)))
        for mixer in some_mixers(width)
        if fold is FOLDS[0] or mixer.ratio != 1
        if (after := fold(mixer, width, size)) != mixer
    ]
    random.Random(0).shuffle(acts)
    of_each_sort = {sort_of(act): act for act in acts}
    assert len(of_each_sort) > 20
    for number, act in enumerate(of_each_sort.values()):
        assert_fold_keeps_the_functions(*act, shifted=number % 2 == 1)


CHOICES: dict[str, list[Any]] = {
    "groups": [1, 2, 4],
    "heads": [1, 2, 4],
    "ratio": [1, 2, 5],
    "generator_ratio": [2, 4, 9],
    "reduction": ["matched", "dense", "average"],
    "bias": [False],
    "query_key_bias": [False, True],
}


@cache
def some_mixers(width: int, full_rank_only: bool = False) -> list[Mixer]:
    """Every mixer type with a grid of sizes and options that the width allows."""
    found = []
    for mixer_type in all_mixer_types():
        if full_rank_only and mixer_type.rank is not Rank.FULL:
            continue
        sliding = mixer_type.locality is Locality.SLIDING
        choices = CHOICES | {"kernel_size": [1, 3, 5, 9] if sliding else [1, 2, 3, 4]}
        names = Mixer.applicable(*mixer_type.values)
        for values in itertools.product(*(choices.get(name, [False, True]) for name in names)):
            mixer = Mixer(**type_fields(mixer_type), **dict(zip(names, values, strict=True)))
            if not width_problems(mixer, width):
                found.append(mixer)
    return found


def renumbered(table: IntArray) -> tuple[int, ...]:
    """The table with its numbers in order of first use: equal for equal ties."""
    order = {-1: -1}
    return tuple(order.setdefault(number, len(order)) for number in table.flatten().tolist())


def signature(mixer: Mixer, width: int, size: MapSize, shifted: bool) -> tuple[Any, ...]:
    """What a mixer of full rank can compute: ties and zeros of W, and what W is made from."""
    entries = PositionEntries.of(mixer, size, shifted)
    table = entries.table()
    ties, dynamics, hidden = renumbered(table), str(mixer.dynamics), 0
    if mixer.dynamics is Dynamics.ATTENTION:
        if (table >= 0).sum(1).max() == 1:
            return "the one source", ties
        p, q = np.indices(table.shape)
        ties = renumbered(np.minimum(table, 0))
        biases = np.where(table >= 0, entries.offset_at(p, q), -1)
        biased = renumbered(biases) if mixer.position_bias else None
        return dynamics, ties, biased, mixer.heads, mixer.query_key_bias
    if mixer.dynamics is not Dynamics.STATIC:
        hidden = generator_width(mixer, width)
        dynamics = "generated" if size.positions == 1 else dynamics
    return dynamics, hidden, ties, renumbered(channel_entries(mixer, width))


@pytest.mark.parametrize(
    ("width", "size"), [(4, (1, 1)), (4, (2, 2)), (4, (3, 4)), (2, (1, 3)), (1, (2, 2))]
)
def test_one_form_for_each_set_of_functions(width: int, size: tuple[int, int]) -> None:
    """Over all mixers of full rank: equal forms exactly where W has equal zeros and ties."""
    map_size = MapSize(*size)
    forms: dict[tuple[Any, ...], Mixer] = {}
    for mixer in some_mixers(width, full_rank_only=True):
        form = canonical(mixer, width, map_size)
        both = tuple(signature(mixer, width, map_size, shifted) for shifted in (False, True))
        assert forms.setdefault(both, form) == form, (mixer, form)
        own = tuple(signature(form, width, map_size, shifted) for shifted in (False, True))
        assert own == both, (mixer, form)
    assert len(set(forms.values())) == len(forms)


@given(mixers_of(all_mixer_types()), map_sizes(6))
@settings(max_examples=300, deadline=None)
def test_the_canonical_form_is_its_own(drawn: tuple[Mixer, int], size: MapSize) -> None:
    mixer, width = drawn
    form = canonical(mixer, width, size)
    assert canonical(form, width, size) == form
    assert not width_problems(form, width)
    assert all(fold(form, width, size) == form for fold in FOLDS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("window k4 covers 4×4", ("window", {"kernel_size": 4, "position_bias": False})),
        ("neighbourhood k7 covers 4×4", ("sliding", {"kernel_size": 7, "position_bias": False})),
    ],
)
def test_attention_that_covers_the_map_is_global(
    before: str, after: tuple[str, dict[str, Any]]
) -> None:
    locality, fields = after
    mixer_type = next(
        c for c in all_mixer_types() if c.label == f"{locality}/separable/full/channel/attention"
    )
    mixer = Mixer(**type_fields(mixer_type), heads=2, **fields)
    assert canonical(mixer, 4, MapSize(4, 4)).locality is Locality.GLOBAL, before


@pytest.mark.parametrize(
    ("axes", "fields", "form"),
    [
        ("dense/spatial/position", {}, "Conv. k1"),
        ("separable/spatial/position", {"reduction": "dense"}, "Conv. k1"),
        ("separable/spatial/both", {"heads": 2, "reduction": "dense"}, "Conv. k1"),
        ("grouped/spatial/position", {"groups": 2, "reduction": "dense"}, "Conv. k1"),
        ("separable/spatial/position", {"reduction": "average"}, "DW-S Conv. k1"),
    ],
)
def test_on_one_position_a_reduction_is_a_matrix(
    axes: str, fields: dict[str, Any], form: str
) -> None:
    mixer_type = mixer_type_named(f"sliding/{axes}/static")
    mixer = Mixer(**type_fields(mixer_type), kernel_size=1, ratio=2, bias=False, **fields)
    found = canonical(mixer, 4, MapSize(1, 1))
    assert (found.label, found.rank) == (form, Rank.FULL)
