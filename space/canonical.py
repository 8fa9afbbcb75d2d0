"""One form for mixers that compute the same functions.

A window that covers the map is global, one group is dense, a head per channel is unshared, a ratio
of 1 is no factor, and so on. What folds depends on the width and on the map. Every fold keeps the
set of functions that the mixer can compute.
"""

from space.axes import Channels, Dynamics, Locality, Rank, Sharing
from space.geometry import MapSize, inner_width, target_size
from space.mixer import Mixer

_WITHOUT_HEADS = {Sharing.CHANNEL: Sharing.NONE, Sharing.BOTH: Sharing.POSITION}
_SHARED_BY_ONE_TAP = {Sharing.NONE: Sharing.POSITION, Sharing.CHANNEL: Sharing.BOTH}


def canonical(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """The mixer that stands for all that compute the same functions at this width and map.

    Args:
        mixer: a mixer whose counts divide the width (see `space.geometry.width_problems`).
        width: channels of the map.
        size: the map that the mixer is applied to.
    """
    while True:
        folded = mixer
        for fold in (_fold_ratio, _fold_channels, _fold_reach, _fold_single_tap):
            folded = fold(folded, width, size)
        if folded == mixer:
            return mixer
        mixer = folded


def _fold_ratio(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    if mixer.rank is not Rank.FULL and mixer.ratio == 1:
        return mixer.changed(rank=Rank.FULL)
    return mixer


def _fold_channels(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    inner = inner_width(mixer, width)
    if mixer.channels is Channels.GROUPED and mixer.groups == 1:
        return mixer.changed(channels=Channels.DENSE)
    if mixer.channels is Channels.GROUPED and mixer.groups == inner:
        return mixer.changed(channels=Channels.SEPARABLE)
    if mixer.channels is Channels.DENSE and inner == 1 and mixer.rank is not Rank.JOINT:
        return mixer.changed(channels=Channels.SEPARABLE)
    own_head = mixer.channel_shared and mixer.heads == inner
    if own_head and mixer.dynamics is not Dynamics.ATTENTION:
        return mixer.changed(sharing=_WITHOUT_HEADS[mixer.sharing])
    return mixer


def _fold_reach(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    kernel = mixer.kernel_size
    longest = target_size(mixer, size).longest
    if kernel is None or kernel == 1:
        return mixer
    if mixer.locality is Locality.WINDOW and kernel >= longest:
        if mixer.position_bias:
            return mixer.changed(kernel_size=longest, shift=True)
        return mixer.changed(locality=Locality.GLOBAL)
    covering = 2 * longest - 1
    if mixer.locality is Locality.SLIDING and kernel >= covering:
        position_free = mixer.dynamics in (Dynamics.STATIC, Dynamics.ATTENTION)
        if position_free and not mixer.position_shared and not mixer.position_bias:
            return mixer.changed(locality=Locality.GLOBAL)
        return mixer.changed(kernel_size=covering)
    return mixer


def _fold_single_tap(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Tiles of one position are neighbourhoods of one; the softmax of one logit is 1."""
    if mixer.kernel_size != 1:
        return mixer
    if mixer.dynamics is Dynamics.ATTENTION:
        return mixer.changed(
            locality=Locality.SLIDING, heads=1, position_bias=False, query_key_bias=False
        )
    if mixer.locality is Locality.WINDOW:
        static = mixer.dynamics is Dynamics.STATIC
        sharing = _SHARED_BY_ONE_TAP[mixer.sharing] if static else mixer.sharing
        return mixer.changed(locality=Locality.SLIDING, sharing=sharing)
    return mixer
