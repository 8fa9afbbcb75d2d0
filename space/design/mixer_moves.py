"""Moves between the mixers that may stand at one place of a pattern: to another type of
mixer, or to another size or option within a type."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from operator import ne

import numpy as np

from space.custom import CustomType
from space.custom.registry import registered
from space.design.mixer_fields import field_names, field_value, field_values
from space.mixer import Mixer
from space.mixer_types import MixerType, plain_name

AnyType = MixerType | CustomType


class MixerMoves:
    """The mixers of a place and what joins them; each answer is worked out once, when asked for.

    A move changes the mixer type (sizes then follow freely) or one size within a type. Types one
    axis apart are always joined. Where a space leaves out what lies between two types, they are
    joined too (the relative neighbourhood graph), as are sizes that differ in several fields if
    nothing else leads to them, so that every mixer can be reached. A custom mixer is joined with
    the relatives that it declares, or with the types of the algebra that its marks are nearest to.
    """

    def __init__(self, mixers: tuple[Mixer, ...]) -> None:
        self._mixers = mixers
        self._sizes: dict[AnyType, dict[Mixer, list[Mixer]]] = {}
        self._nearest: dict[Mixer, Mixer] = {}

    def of(self, mixer: Mixer) -> tuple[Mixer, ...]:
        """The mixers that are one move away from one of them: other types, then other sizes."""
        mixer_type = mixer.type
        if mixer_type not in self._sizes:
            self._sizes[mixer_type] = size_moves(self._members(mixer_type))
        beyond = (other for joined in self._joined[mixer_type] for other in self._members(joined))
        return (*beyond, *self._sizes[mixer_type][mixer])

    def nearest(self, wanted: Mixer) -> Mixer:
        """The first of those that differ from any mixer in the fewest axes, then sizes."""
        if wanted not in self._nearest:
            names = field_names((wanted, *self._mixers))
            sizes = [field_value(wanted, name) for name in names]
            self._nearest[wanted] = min(
                (self._mixers[place] for place in self._in_nearest_types(wanted.type)),
                key=lambda mixer: sum(map(ne, (field_value(mixer, n) for n in names), sizes)),
            )
        return self._nearest[wanted]

    def _in_nearest_types(self, wanted: AnyType) -> list[int]:
        apart = {mixer_type: _axes_apart(mixer_type, wanted) for mixer_type in self._places}
        least = min(apart.values())
        nearest = (self._places[mixer_type] for mixer_type, axes in apart.items() if axes == least)
        return sorted(chain.from_iterable(nearest))

    def _members(self, mixer_type: AnyType) -> list[Mixer]:
        return [self._mixers[place] for place in self._places[mixer_type]]

    @cached_property
    def _places(self) -> dict[AnyType, list[int]]:
        """Where the mixers of each mixer type stand in the order of all."""
        places: dict[AnyType, list[int]] = {}
        for place, mixer in enumerate(self._mixers):
            places.setdefault(mixer.type, []).append(place)
        return places

    @cached_property
    def _joined(self) -> dict[AnyType, tuple[AnyType, ...]]:
        return _joined_types(tuple(self._places))


@lru_cache(maxsize=64)
def _joined_types(mixer_types: tuple[AnyType, ...]) -> dict[AnyType, tuple[AnyType, ...]]:
    """Which types a move leads to, from each."""
    algebra = tuple(each for each in mixer_types if isinstance(each, MixerType))
    joined: dict[AnyType, dict[AnyType, None]] = {each: {} for each in mixer_types}
    for each, others in (_relative_neighbours(algebra) if algebra else {}).items():
        joined[each].update(dict.fromkeys(others))
    for custom in (each for each in mixer_types if isinstance(each, CustomType)):
        for other in _next_to(custom, mixer_types, algebra):
            joined[custom][other] = joined[other][custom] = None
    return {each: tuple(others) for each, others in joined.items()}


def _next_to(
    custom: CustomType, all_types: tuple[AnyType, ...], algebra: tuple[MixerType, ...]
) -> list[AnyType]:
    """Its relatives, and where none of them is of the algebra what is nearest there."""
    others = [each for each in all_types if each != custom]
    definition = registered(custom.name)
    names = set(map(plain_name, definition.relatives)) if definition is not None else set()
    related = [each for each in others if names & {plain_name(each.name), plain_name(each.label)}]
    if any(isinstance(each, MixerType) for each in related):
        return related
    beside: list[AnyType] = list(algebra or others)
    least = min((_axes_apart(custom, each) for each in beside), default=0)
    nearest = [each for each in beside if _axes_apart(custom, each) == least]
    return list(dict.fromkeys((*related, *nearest)))


def _axes_apart(one: AnyType, other: AnyType) -> int:
    """In how many axes two types differ; an undeclared mark differs from everything."""
    if one == other:
        return 0
    pairs: Iterable[tuple[object, object]] = zip(one.values, other.values, strict=True)
    return max(1, sum(a is None or a != b for a, b in pairs))


@lru_cache(maxsize=64)
def _relative_neighbours(
    mixer_types: tuple[MixerType, ...],
) -> dict[MixerType, tuple[MixerType, ...]]:
    """For each type those with no third one closer to both (Toussaint 1980), in the given order.

    The distance of two types is the number of axes in which they differ, so that those one axis
    apart are always joined. The graph is connected, without long ways round.
    """
    values = np.array([mixer_type.values for mixer_type in mixer_types])
    apart = (values[:, None] != values[None]).sum(2)
    joined = np.zeros_like(apart, dtype=bool)
    for far in range(1, int(apart.max()) + 1):
        near = (apart < far).astype(np.int64)
        joined |= (apart == far) & (near @ near == 0)
    return {
        mixer_type: tuple(mixer_types[other] for other in np.flatnonzero(row))
        for mixer_type, row in zip(mixer_types, joined, strict=True)
    }


def size_moves(mixers: Sequence[Mixer]) -> dict[Mixer, list[Mixer]]:
    """For each of the mixers of a mixer type, those that differ in one field.

    Groups that no such step joins are joined by their closest pair, so that all are connected.
    The work grows with the number of mixers, not with its square, but for the last part.
    """
    codes = _codes(mixers)
    joined: dict[int, set[int]] = {place: set() for place in range(len(mixers))}
    for field in range(codes.shape[1]):
        alike = defaultdict(list)
        others = np.delete(codes, field, axis=1)
        for place, rest in enumerate(map(bytes, others)):
            alike[rest].append(place)
        for places in alike.values():
            for place in places:
                joined[place].update(places)
    _join_groups(codes, joined)
    return {
        mixer: [mixers[other] for other in sorted(joined[place] - {place})]
        for place, mixer in enumerate(mixers)
    }


def _codes(mixers: Sequence[Mixer]) -> np.ndarray:
    """(mixers, fields) integers that are equal where the fields are."""
    columns = []
    for values in zip(*map(field_values, mixers), strict=True):
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        columns.append([numbers[value] for value in values])
    return np.array(columns, dtype=np.int32).reshape(-1, len(mixers)).T.copy()


def _join_groups(codes: np.ndarray, joined: dict[int, set[int]]) -> None:
    """Joins every further group to the closest mixer of those before it."""
    groups = _groups(joined)
    reached = groups[0]
    for group in groups[1:]:
        apart = (codes[reached][:, None] != codes[group][None]).sum(2)
        one, other = np.unravel_index(int(apart.argmin()), apart.shape)
        joined[reached[one]].add(group[other])
        joined[group[other]].add(reached[one])
        reached = reached + group


def _groups(joined: dict[int, set[int]]) -> list[list[int]]:
    """The connected groups, each in order."""
    left, groups = set(joined), []
    while left:
        border = {min(left)}
        group: set[int] = set()
        while border:
            group |= border
            border = set().union(*(joined[place] for place in border)) - group
        groups.append(sorted(group))
        left -= group
    return groups
