"""Moves between mixers of one cell: one size or option changes, or as few as the space allows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from space.axes import AXES
from space.mixer import Mixer

SIZES_AND_OPTIONS = tuple(field.name for field in fields(Mixer) if field.name not in AXES)


def size_moves(mixers: Sequence[Mixer]) -> dict[Mixer, list[Mixer]]:
    """For each of the mixers of a cell, those that differ in one field.

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
    for name in SIZES_AND_OPTIONS:
        values = [getattr(mixer, name) for mixer in mixers]
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        columns.append([numbers[value] for value in values])
    return np.array(columns, dtype=np.int32).T.copy()


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
