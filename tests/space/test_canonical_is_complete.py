"""No two canonical forms compute the same functions: checked by fitting one to the other."""

import itertools
from collections import defaultdict
from typing import Any

import pytest

from space import Mixer, mixer_type_named
from space.canonical import canonical
from space.geometry import MapSize
from tests.space.families import Family, same
from tests.space.strategies import type_fields
from tests.space.test_canonical import some_mixers

POINTWISE = {"kernel_size": 1, "ratio": 2}


def family_of(label: str, fields: dict[str, Any], size: MapSize) -> Family:
    return Family(Mixer(**type_fields(mixer_type_named(label)), **fields), 4, size)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (("dense/spatial/position", {}),
         ("separable/spatial/position", {"reduction": "dense"}), True),
        (("separable/spatial/position", {}), ("separable/spatial/both", {"heads": 2}), True),
        (("grouped/spatial/position", {"groups": 2, "reduction": "dense"}),
         ("dense/spatial/position", {}), True),
        (("grouped/spatial/position", {"groups": 2}), ("dense/spatial/position", {}), False),
        (("dense/channel/position", {}), ("separable/channel/position", {}), True),
        (("separable/spatial/position", {"reduction": "average"}),
         ("separable/spatial/both", {"reduction": "average", "heads": 2}), False),
    ],
)  # fmt: skip
def test_the_comparison_tells_equal_families_from_others(
    one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], equal: bool
) -> None:
    made = [
        family_of(f"sliding/{axes}/static", POINTWISE | {"bias": False} | fields, MapSize(1, 2))
        for axes, fields in (one, other)
    ]
    assert same(*made) is equal
    forms = {canonical(family.mixer, 4, MapSize(1, 2)) for family in made}
    assert (len(forms) == 1) is equal


def choices(width: int) -> list[Mixer]:
    """Every mixer type of every rank, with sizes and reductions; without what changes no W.

    The norm of two channels has one free value, and fits more than one form by chance.
    """
    return [
        mixer
        for mixer in some_mixers(width)
        if mixer.generator_ratio in (None, 2)
        and not mixer.query_key_bias
        and mixer.ratio != 5
        and not (mixer.reduction_norm and width < 4)
    ]


@pytest.mark.parametrize(
    ("width", "size"),
    [pytest.param(4, (1, 1), marks=pytest.mark.slow), (2, (1, 2)), (2, (2, 2))],
)
def test_no_two_forms_have_the_same_functions(width: int, size: tuple[int, int]) -> None:
    map_size = MapSize(*size)
    forms = dict.fromkeys(canonical(mixer, width, map_size) for mixer in choices(width))
    families = [
        [Family(form, width, map_size, shifted) for shifted in (False, True)] for form in forms
    ]
    alike: dict[tuple[int, ...], list[list[Family]]] = defaultdict(list)
    for pair in families:
        assert all(family.members for family in pair)
        alike[tuple(family.dimension for family in pair)].append(pair)
    for group in alike.values():
        for one, other in itertools.combinations(group, 2):
            equal = all(same(*both) for both in zip(one, other, strict=True))
            assert not equal, (one[0].mixer, other[0].mixer)
