"""Pairs of mixers for every kind of inclusion, and small networks made of them."""

from dataclasses import replace
from typing import Any

from space import Architecture, Mixer, all_mixer_types
from space.architecture import BlockType, Head, Input, Stage, Stem
from space.canonical import canonical
from space.errors import InputError
from space.geometry import MapSize
from space.inclusion import InclusionKind
from space.inclusion.mixer_inclusion import lift_refusal
from space.inclusion.mixer_on_map import MixerOnMap
from space.inclusion.step_kinds import kinds_between
from space.networks import Network, build
from tests.space.strategies import type_fields
from tests.space.test_operators_against_reference import randomise

WIDTH = 8
SIZE = MapSize(6, 6)


def mixer(label: str, **fields: Any) -> Mixer:
    mixer_type = next(c for c in all_mixer_types() if label in (c.label, c.name))
    return Mixer(**type_fields(mixer_type), **fields)


def _pair(label: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Mixer, Mixer]:
    return mixer(label, **before), mixer(label, **after)


DW, DENSE = mixer("DW-S Conv.", kernel_size=3), mixer("Conv.", kernel_size=3)
GROUPS_4 = mixer("Group conv.", kernel_size=3, groups=4)
LOCAL_MLP = mixer("Local MLP", kernel_size=2, heads=2, shift=False)
LOCAL_VIT = {"kernel_size": 2, "heads": 2, "query_key_bias": False}
GLOBAL_MEAN = "global/separable/spatial/none/static"
SEP = "global/separable/full/none/static"
LOW = "global/dense/channel/none/static"

PAIRS: dict[InclusionKind, list[tuple[Mixer, Mixer]]] = {
    InclusionKind.SAME: [(DW, DW), _pair("Local ViT", LOCAL_VIT, LOCAL_VIT)],
    InclusionKind.SLIDING_IN_GLOBAL: [
        (mixer("sliding/separable/full/channel/static", kernel_size=3, heads=2),
         mixer("Sep. MLP", heads=2)),
        (mixer("Locally connected", kernel_size=3), mixer("MLP")),
    ],
    InclusionKind.WINDOW_IN_GLOBAL: [(LOCAL_MLP.changed(shift=True), mixer("Sep. MLP", heads=2))],
    InclusionKind.WINDOW_IN_SLIDING: [
        (LOCAL_MLP, mixer("sliding/separable/full/channel/static", kernel_size=3, heads=2)),
    ],
    InclusionKind.SMALLER_KERNEL: [
        (DW, DW.changed(kernel_size=5)),
        (DENSE, DENSE.changed(kernel_size=5)),
        _pair("Dynamic DW-S Conv.", {"kernel_size": 3}, {"kernel_size": 5}),
        _pair("Dynamic Local-S MLP", {"kernel_size": 3, "heads": 2},
              {"kernel_size": 5, "heads": 2}),
    ],
    InclusionKind.SMALLER_WINDOW: [(LOCAL_MLP, LOCAL_MLP.changed(kernel_size=4))],
    InclusionKind.SEPARABLE_IN_GROUPED: [(DW, GROUPS_4)],
    InclusionKind.SEPARABLE_IN_DENSE: [
        (DW, DENSE),
        (mixer("Dynamic DW-S Conv.", kernel_size=3), mixer("Conditional conv.", kernel_size=3)),
    ],
    InclusionKind.GROUPED_IN_DENSE: [(GROUPS_4, DENSE)],
    InclusionKind.MORE_GROUPS: [(GROUPS_4, GROUPS_4.changed(groups=2))],
    InclusionKind.CHANNEL_RANK_IN_FULL: [
        (mixer("Bottleneck", kernel_size=3, ratio=2), DENSE),
        (mixer("sliding/separable/channel/both/homogeneous", kernel_size=3, ratio=2, heads=2),
         mixer("Conditional conv.", kernel_size=3)),
    ],
    InclusionKind.SPATIAL_RANK_IN_FULL: [
        (mixer(GLOBAL_MEAN, ratio=2), mixer(SEP)),
        (mixer(GLOBAL_MEAN, ratio=2, reduction="dense"), mixer("MLP")),
        (mixer("global/separable/spatial/channel/inhomogeneous", ratio=2, heads=2,
               reduction="average"), mixer("Dense Synthesizer", heads=2)),
    ],
    InclusionKind.JOINT_RANK_IN_FULL: [(mixer("LR MLP", ratio=8), mixer("MLP"))],
    InclusionKind.CHANNEL_RANK_IN_JOINT: [(mixer(LOW, ratio=4), mixer("LR MLP", ratio=2))],
    InclusionKind.SPATIAL_RANK_IN_JOINT: [
        (mixer("global/dense/spatial/none/static", ratio=2), mixer("LR MLP", ratio=2)),
    ],
    InclusionKind.LOWER_CHANNEL_RANK: [
        _pair("Bottleneck", {"kernel_size": 3, "ratio": 4}, {"kernel_size": 3, "ratio": 2}),
        _pair("window/separable/channel/channel/attention", LOCAL_VIT | {"ratio": 4},
              LOCAL_VIT | {"ratio": 2}),
        _pair("sliding/separable/channel/channel/inhomogeneous",
              {"kernel_size": 3, "ratio": 4, "heads": 2},
              {"kernel_size": 3, "ratio": 2, "heads": 2}),
    ],
    InclusionKind.COARSER_REDUCTION: [
        _pair(GLOBAL_MEAN, {"ratio": 4, "reduction": "average"},
              {"ratio": 2, "reduction": "average"}),
    ],
    InclusionKind.LOWER_JOINT_RANK: [_pair("LR MLP", {"ratio": 8}, {"ratio": 4})],
    InclusionKind.POSITION_SHARED: [
        (DW.changed(bias=False), mixer("sliding/separable/full/none/static", kernel_size=3)),
        (DENSE.changed(bias=False), mixer("Locally connected", kernel_size=3)),
    ],
    InclusionKind.CHANNEL_SHARED: [
        (LOCAL_MLP, mixer("window/separable/full/none/static", kernel_size=2, shift=False)),
        (mixer("Lightweight conv.", kernel_size=3, heads=2), DW),
    ],
    InclusionKind.FEWER_HEADS: [
        (LOCAL_MLP, LOCAL_MLP.changed(heads=4)),
        _pair("Dynamic Local-S MLP", {"kernel_size": 3, "heads": 2},
              {"kernel_size": 3, "heads": 4}),
    ],
    InclusionKind.STATIC_IN_HOMOGENEOUS: [
        (DW, mixer("Dynamic DW-S Conv.", kernel_size=3)),
        (DENSE, mixer("Conditional conv.", kernel_size=3)),
    ],
    InclusionKind.STATIC_IN_INHOMOGENEOUS: [
        (DW.changed(bias=False),
         mixer("sliding/separable/full/none/inhomogeneous", kernel_size=3)),
        (mixer("Lightweight conv.", kernel_size=3, heads=2, bias=False),
         mixer("Dynamic Local-S MLP", kernel_size=3, heads=2)),
    ],
    InclusionKind.ONE_SOURCE_ATTENTION: [
        (mixer("Neighbourhood attention", kernel_size=1, bias=True), DW.changed(kernel_size=1)),
    ],
    InclusionKind.NARROWER_GENERATOR: [
        _pair("Dynamic DW-S Conv.", {"kernel_size": 3, "generator_ratio": 4},
              {"kernel_size": 3, "generator_ratio": 2}),
    ],
    InclusionKind.NO_BIAS: [(DW.changed(bias=False), DW)],
    InclusionKind.NO_POSITION_BIAS: [
        _pair("Local ViT", LOCAL_VIT | {"position_bias": False},
              LOCAL_VIT | {"position_bias": True}),
        (mixer("ViT", heads=2), mixer("Local ViT", kernel_size=9, heads=2, position_bias=True)),
    ],
    InclusionKind.NO_QUERY_KEY_BIAS: [
        _pair("Local ViT", LOCAL_VIT, LOCAL_VIT | {"query_key_bias": True}),
    ],
    InclusionKind.AVERAGE_IN_MATCHED: [
        _pair("PVT", {"ratio": 2, "heads": 2, "reduction": "average"},
              {"ratio": 2, "heads": 2, "reduction": "matched"}),
    ],
    InclusionKind.AVERAGE_IN_DENSE: [
        _pair(GLOBAL_MEAN, {"ratio": 2, "reduction": "average"},
              {"ratio": 2, "reduction": "dense"}),
    ],
    InclusionKind.MATCHED_IN_DENSE: [
        _pair("PVT", {"ratio": 2, "heads": 2, "reduction": "matched"},
              {"ratio": 2, "heads": 2, "reduction": "dense"}),
    ],
}  # fmt: skip
"""For every kind between mixers, pairs that differ by it (and by the sharing that follows it)."""


def architecture(
    mixers: list[Mixer], block_type: BlockType, size: tuple[int, int], **changes: Any
) -> Architecture:
    fields = {"depth": 2, "width": WIDTH, "mlp_ratio": 2} | changes
    first = Stage(fields["depth"], fields["width"], fields["mlp_ratio"], tuple(mixers))
    second = replace(first, width=2 * fields["width"], mixers=tuple(mixers[:1]))
    downsample = "conv" if block_type == "convnext" else "merge"
    return Architecture(Input(3, *size), Stem(2), block_type, (first, second), Head(5), downsample)


def randomised(architecture: Architecture) -> Network:
    network = build(architecture).eval()
    randomise(network)
    return network


def refusal(parent: Mixer, child: Mixer, width: int, size: MapSize) -> InputError | None:
    """Why the parent's weights cannot be lifted into the child, at some block; None if they can."""
    for shifted in (False, True):
        mixers = (MixerOnMap(each, width, size, shifted) for each in (parent, child))
        if (error := lift_refusal(*mixers)) is not None:
            return error
    return None


def inclusion(
    parent: Mixer, child: Mixer, width: int, size: MapSize
) -> tuple[InclusionKind, ...] | None:
    """How the child contains the parent, in canonical form; None if it does not."""
    parent, child = (canonical(mixer, width, size) for mixer in (parent, child))
    refused = refusal(parent, child, width, size) is not None
    return None if refused else kinds_between(parent, child)
