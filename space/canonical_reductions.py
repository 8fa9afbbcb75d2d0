"""Folds of spatial reductions: where a reduction and the core behind it absorb each other.

A reduction is learned where it is a convolution (`matched` or `dense`); its layer norm ends in a
scale and a shift of every channel. Both absorb a core that is one fixed diagonal at all positions.
"""

from space.axes import Channels, Dynamics, Locality, Rank, Sharing
from space.geometry import MapSize, channel_groups, reaches_one, source_size
from space.mixer import Mixer


def fold_reduction(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """The folds of a mixer of rank spatial, one after the other."""
    if mixer.rank is not Rank.SPATIAL:
        return mixer
    for fold in (_matched, _within_the_map, _one_source, _pointwise, _one_position):
        folded = fold(mixer, width, size)
        if folded != mixer:
            return folded
    return mixer


def _learned(mixer: Mixer) -> bool:
    return mixer.reduction != "average"


def _matched(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """What reads all channels has no groups to match."""
    if mixer.reduction == "dense" and channel_groups(mixer, width) == 1:
        return mixer.changed(reduction="matched")
    return mixer


def _within_the_map(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Kernels reach no further than the map.

    A larger average divides by more, which weights after it make up for, but not a softmax.
    """
    scaled = not mixer.dynamics.source.linear or mixer.reduction_norm
    most = max(2, size.longest)
    if (mixer.ratio or 1) > most and (_learned(mixer) or not scaled):
        return mixer.changed(ratio=most)
    return mixer


def _one_source(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """Attention to one source gives all targets that source; rows of W have all the shift.

    A dense W from one source is any product of two factors with C channels between them.
    """
    source, normed = mixer.dynamics.source, bool(mixer.reduction_norm)
    alone = source_size(mixer, size).positions == 1
    weight_of_one = source.normalised and reaches_one(mixer, size)
    if alone and weight_of_one and (_learned(mixer) or normed):
        return mixer.changed(
            locality=Locality.SLIDING,
            kernel_size=1,
            sharing=Sharing.POSITION,
            dynamics=Dynamics.STATIC,
        )
    inside = mixer.locality is Locality.GLOBAL or not source.outside_counts
    if source.normalised and inside and normed:
        # The weights sum to one, so the shift of the norm is a bias; as a key it shifts all logits.
        return mixer.changed(bias=False)
    fixed = source.free and mixer.locality is Locality.GLOBAL
    dense = fixed and mixer.channels is Channels.DENSE
    if alone and dense and _learned(mixer) and not normed and size.positions > 1:
        return mixer.changed(rank=Rank.JOINT, ratio=size.positions)
    return mixer


def _pointwise(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """W · reduction with one fixed W at all positions is a reduction', if W joins no channels more.

    A norm's scale absorbs a diagonal W, its shift the bias. A dense W after a norm absorbs the
    bias, too: what is normed sums to zero, so that W may add any vector times that sum.
    """
    fixed = mixer.dynamics.source.free and mixer.locality is Locality.SLIDING
    if not fixed or mixer.kernel_size != 1:
        return mixer
    if mixer.reduction_norm:
        if mixer.channels is Channels.SEPARABLE:
            return mixer.changed(sharing=Sharing.POSITION, bias=False)
        return mixer.changed(bias=False) if mixer.channels is Channels.DENSE else mixer
    if _learned(mixer) and (mixer.channels is Channels.DENSE or mixer.reduction == "dense"):
        return mixer.changed(
            channels=Channels.SEPARABLE, sharing=Sharing.POSITION, reduction="dense"
        )
    if _learned(mixer) and mixer.channels is Channels.SEPARABLE:
        return mixer.changed(sharing=Sharing.POSITION)
    return mixer


def _one_position(mixer: Mixer, width: int, size: MapSize) -> Mixer:
    """On a map of one position a reduction is a matrix, and W · reduction is one W.

    An average only divides, which a softmax or the head-wise ties of W allow or not.
    """
    if size.positions > 1 or mixer.kernel_size not in (None, 1):
        return mixer
    if mixer.reduction_norm or not mixer.dynamics.source.linear:
        return mixer
    full = mixer.changed(rank=Rank.FULL)
    if not _learned(mixer):
        return full
    if mixer.dynamics.source.free and mixer.reduction == "dense":
        pointwise = {"locality": Locality.SLIDING, "kernel_size": 1, "sharing": Sharing.POSITION}
        return full.changed(channels=Channels.DENSE, **pointwise)
    joins_more = mixer.reduction == "dense" and channel_groups(mixer, width) > 1
    return mixer if joins_more or mixer.channel_shared else full
