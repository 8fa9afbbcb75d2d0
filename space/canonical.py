"""One form for mixers that compute the same functions.

A window that covers the map is global, one group is dense, a head per channel is unshared, a ratio
of 1 is no factor, and so on. What folds depends on the width and on the map. Every fold keeps the
set of functions that the mixer can compute; the tests prove each by carrying weights across.
"""

from functools import lru_cache

from space.axes import Channels, Dynamics, Locality, Rank, Sharing
from space.canonical_reductions import fold_reduction
from space.geometry import (
    MapSize,
    generator_width,
    inner_width,
    joint_rank,
    reaches_one,
    target_size,
)
from space.mixer import Mixer

_WITHOUT_HEADS = {Sharing.CHANNEL: Sharing.NONE, Sharing.BOTH: Sharing.POSITION}
_SHARED_BY_ONE_TAP = {Sharing.NONE: Sharing.POSITION, Sharing.CHANNEL: Sharing.BOTH}


_REMEMBERED = 1 << 15
"""Folded mixers to keep, a few hundred bytes each: the networks of a space share most of them."""


@lru_cache(_REMEMBERED)
def canonical(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """The mixer that stands for all that compute the same functions at this width and map.

    Args:
        mixer: a mixer whose counts divide the width (see `space.geometry.width_problems`).
        width: channels of the map.
        size: the map that the mixer is applied to.
    """
    if mixer.is_custom:  # nothing is known of what else would compute the same
        return mixer
    while True:
        folded = mixer
        for fold in FOLDS:
            folded = fold(folded, width, size)
        if folded == mixer:
            return mixer
        mixer = folded


def without_unit_factor(mixer: Mixer) -> Mixer:
    """The mixer, of full rank if its ratio is 1, which is no factor."""
    return mixer.changed(rank=Rank.FULL) if mixer.ratio == 1 else mixer


def _fold_ratio(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    if mixer.rank is Rank.JOINT and mixer.ratio != 1:
        mixer = _fold_joint_rank(mixer, width, size)
    return without_unit_factor(mixer)


def _fold_joint_rank(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Ratios that round to one rank are one; on one position the factors are a bottleneck."""
    rank = joint_rank(mixer, width, size)
    if size.positions == 1 and width % rank == 0:
        return mixer.changed(
            locality=Locality.SLIDING,
            kernel_size=1,
            sharing=Sharing.POSITION,
            rank=Rank.CHANNEL,
            ratio=width // rank,
        )
    return mixer.changed(ratio=-(-size.positions * width // rank))


def _fold_generator(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Ratios that round to one hidden width are one."""
    if mixer.generator_ratio is None:
        return mixer
    inner = inner_width(mixer, width)
    return mixer.changed(generator_ratio=inner // generator_width(mixer, inner))


def _fold_channels(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    inner = inner_width(mixer, width)
    if mixer.channels is Channels.GROUPED and mixer.groups == 1:
        return mixer.changed(channels=Channels.DENSE)
    if mixer.channels is Channels.GROUPED and mixer.groups == inner:
        return mixer.changed(channels=Channels.SEPARABLE)
    if mixer.channels is Channels.DENSE and inner == 1 and mixer.rank is not Rank.JOINT:
        return mixer.changed(channels=Channels.SEPARABLE)
    own_head = mixer.channel_shared and mixer.heads == inner
    if own_head and mixer.dynamics.source.allows(_WITHOUT_HEADS[mixer.sharing]):
        return mixer.changed(sharing=_WITHOUT_HEADS[mixer.sharing])
    return mixer


def _fold_reach(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    kernel = mixer.kernel_size
    longest = target_size(mixer, size).longest
    if kernel is None or kernel == 1 or mixer.dynamics.source.outside_counts:
        return mixer
    if mixer.locality is Locality.WINDOW and kernel >= longest:
        if mixer.position_bias:
            return mixer.changed(kernel_size=longest, shift=True)
        return mixer.changed(locality=Locality.GLOBAL)
    covering = 2 * longest - 1
    if mixer.locality is Locality.SLIDING and kernel >= covering:
        return _covering_neighbourhood(mixer, longest)
    return mixer


def _covering_neighbourhood(mixer: Mixer, longest: int) -> Mixer:
    """A bias of q − p over the whole map is that of a window; a generated q − p stays sliding."""
    by_tap = mixer.dynamics.source.numbered_by_tap
    if longest == 1 or by_tap or mixer.position_shared:
        return mixer.changed(kernel_size=2 * longest - 1)
    if mixer.position_bias:
        return mixer.changed(locality=Locality.WINDOW, kernel_size=longest, shift=True)
    return mixer.changed(locality=Locality.GLOBAL)


def _fold_single_position(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """On a map of one position all localities are one, and so are all positions."""
    if size.positions > 1 or mixer.rank is Rank.JOINT or mixer.kernel_size not in (None, 1):
        return mixer
    source = mixer.dynamics.source
    dynamics = Dynamics(source.on_one_position or source.word)
    sharing = _tied_by_one_tap(mixer.sharing, dynamics)
    if mixer.rank is Rank.SPATIAL and sharing not in (Sharing.POSITION, Sharing.BOTH):
        return mixer  # there is none that slides
    return mixer.changed(
        locality=Locality.SLIDING, kernel_size=1, sharing=sharing, dynamics=dynamics
    )


def _tied_by_one_tap(sharing: Sharing, dynamics: Dynamics) -> Sharing:
    """The sharing of a mixer that has the same one tap everywhere, if its weights can have it."""
    tied = _SHARED_BY_ONE_TAP.get(sharing, sharing)
    return tied if dynamics.source.allows(tied) else sharing


def _fold_single_tap(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Tiles of one position are neighbourhoods of one; the softmax of one logit is 1."""
    if mixer.dynamics.source.normalised:
        return _fold_one_weight(mixer, size)
    if mixer.kernel_size != 1:
        return mixer
    if mixer.locality is Locality.WINDOW:
        sharing = _tied_by_one_tap(mixer.sharing, mixer.dynamics)
        return mixer.changed(locality=Locality.SLIDING, sharing=sharing)
    return _fold_pointwise_bottleneck(mixer)


def _fold_one_weight(mixer: Mixer, size: MapSize) -> Mixer:
    """What a weight of 1 is made from is read by no output."""
    if not reaches_one(mixer, size):
        return mixer
    local = mixer.locality is not Locality.GLOBAL
    options = mixer.dynamics.source.options(mixer.locality)
    flags = {name: False for name, default in options.items() if type(default) is bool}
    mixer = mixer.changed(locality=Locality.SLIDING if local else Locality.GLOBAL, heads=1, **flags)
    if mixer.rank is not Rank.CHANNEL or not local:
        return mixer
    return mixer.changed(dynamics=Dynamics.STATIC, sharing=Sharing.POSITION)


def _fold_pointwise_bottleneck(mixer: Mixer) -> Mixer:
    """up · W · down with one fixed W at all positions is up' · down', whatever channels W joins."""
    fixed = mixer.dynamics.source.free and mixer.position_shared
    if mixer.rank is not Rank.CHANNEL or not fixed:
        return mixer
    return mixer.changed(channels=Channels.SEPARABLE, sharing=Sharing.POSITION)


FOLDS = (
    _fold_ratio,
    fold_reduction,
    _fold_channels,
    _fold_generator,
    _fold_reach,
    _fold_single_position,
    _fold_single_tap,
)
"""The folds: each takes a mixer, its width and its map, and gives an equal mixer.

In this order: after the first, a mixer with a ratio of 1 has no rank factor.
"""
