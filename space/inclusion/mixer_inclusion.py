"""Whether one mixer's function is a function of another: fields first, then the index maps."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from space.axes import Rank
from space.errors import InputError
from space.geometry import width_problems
from space.inclusion.entry_numbers import (
    EntryNumbers,
    check_same_reach,
    embedded,
    every_pair,
    of_channels,
    of_positions,
    of_reduction,
    over_patches,
    products,
    repeated,
    repeated_targets,
)
from space.inclusion.mixer_on_map import MixerOnMap, check_mixer_fields
from space.structure.entries import IntArray, PositionEntries

_OTHER_CUSTOM = InputError.of(
    "mixer", "the weights of a custom mixer go into an equal one only: its entries are not known"
)


@lru_cache(maxsize=1 << 16)
def lift_refusal(special: MixerOnMap, general: MixerOnMap) -> InputError | None:
    """Why the special mixer's weights cannot be lifted into the general one; None if they can."""
    if special.mixer.is_custom or general.mixer.is_custom:
        return None if special == general else _OTHER_CUSTOM
    problems = [p for place in (special, general) for p in width_problems(place.mixer, place.width)]
    if problems:
        return InputError(problems)
    try:
        check_mixer_fields(special, general)
        _check_entries(special, general)
    except InputError as error:
        return error
    return None


def _check_entries(special: MixerOnMap, general: MixerOnMap) -> None:
    if special == general or general.mixer.rank is Rank.JOINT:
        return
    if special.mixer.rank is general.mixer.rank is Rank.SPATIAL:
        _check_reductions(special, general)
    if general.attends:
        check_reach(special, general)
        taken_position_bias(special, general)
        return
    ours, theirs = _core(special, general), EntryNumbers.of(general)
    if (ours.targets, ours.sources) != (theirs.targets, theirs.sources):
        raise InputError.of("positions", "the two sum over other maps")
    of_channels(ours.channels, theirs.channels)
    of_positions(
        ours.positions, theirs.positions, general.entries.count, ours.targets, ours.sources
    )


def _core(special: MixerOnMap, general: MixerOnMap) -> EntryNumbers:
    """The special sum, with the factors that only it has absorbed, on the general map."""
    core = EntryNumbers.of(special)
    if general.mixer.rank is Rank.CHANNEL:
        places = bottleneck_places(special, general)
        return replace(core, channels=embedded(core.channels, places, general.inner))
    if special.mixer.rank is Rank.CHANNEL:
        core = replace(core, channels=every_pair(special.width))
    if special.mixer.rank is Rank.SPATIAL:
        core = _less_reduced(core, special, general)
    return replace(core, channels=repeated(core.channels, general.width // special.width))


def _less_reduced(core: EntryNumbers, special: MixerOnMap, general: MixerOnMap) -> EntryNumbers:
    core = repeated_targets(core, special, general)
    finer = remaining_reduction(special, general)
    if finer is None:
        return core
    core = over_patches(core, special.size, finer, (special.mixer.ratio or 1) // finer)
    return replace(core, channels=products(core.channels, of_reduction(special))[0])


def remaining_reduction(special: MixerOnMap, general: MixerOnMap) -> int | None:
    """The reduction that is left when the special one is absorbed; None where both do the same."""
    if general.mixer.rank is not Rank.SPATIAL:
        return 1
    return None if special.mixer.ratio == general.mixer.ratio else general.mixer.ratio


def _check_reductions(special: MixerOnMap, general: MixerOnMap) -> None:
    """Of the same reduction, the general one has all entries that the special one has."""
    if remaining_reduction(special, general) is None and special.reduction_inputs:
        taken_kernels(special, general)


def taken_kernels(special: MixerOnMap, general: MixerOnMap) -> IntArray:
    """Which entry of the special reduction each entry of the general one takes.

    Raises:
        InputError: if the special reduction connects more channels.
    """
    ours = repeated(of_reduction(special), general.width // special.width)
    return of_channels(ours, of_reduction(general))


def bottleneck_places(special: MixerOnMap, general: MixerOnMap) -> IntArray:
    """Where the special inner channels stand among the general ones."""
    ties = special.mixer.heads or general.mixer.groups or general.mixer.heads or 1
    return places_in_blocks(special.inner, math.gcd(special.inner, ties), general.inner)


def head_places(special: MixerOnMap, general: MixerOnMap) -> IntArray:
    """Where the special query and key channels stand among the general ones: in their heads."""
    return places_in_blocks(special.inner, special.mixer.heads or 1, general.inner)


def places_in_blocks(inner: int, blocks: int, width: int) -> IntArray:
    """Where `inner` channels stand in `width`, each block in its own block."""
    channel = np.arange(inner)
    each = inner // blocks
    return channel // each * (width // blocks) + channel % each


def check_reach(special: MixerOnMap, general: MixerOnMap) -> None:
    """Refuses an attention over other sources.

    Raises:
        InputError: softmax gives all that it reaches some weight.
    """
    ours, theirs = special.entries, general.entries
    if (ours.targets, ours.sources) != (theirs.targets, theirs.sources):
        raise InputError.of("positions", "softmax over other sources has other weights")
    check_same_reach(ours.at, theirs.at, ours.targets.positions, ours.sources.positions)


def taken_position_bias(special: MixerOnMap, general: MixerOnMap) -> IntArray | None:
    """Which entry of the special position bias each general one takes; None without a bias.

    Raises:
        InputError: if the general attention has no bias, or ties what the special one does not.
    """
    if not special.mixer.position_bias:
        return None
    if not general.mixer.position_bias:
        raise InputError.of("position_bias", "the general attention has none")
    ours, theirs = special.entries, general.entries
    return of_positions(
        lambda p, q: _where_reached(ours, p, q),
        lambda p, q: _where_reached(theirs, p, q),
        general.bias_entries,
        ours.targets.positions,
        ours.sources.positions,
    )


def _where_reached(entries: PositionEntries, p: IntArray, q: IntArray) -> IntArray:
    reached = entries.at(p, q)
    reached[reached >= 0] = entries.offset_at(p, q)[reached >= 0]
    return reached
