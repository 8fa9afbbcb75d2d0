"""The count of operations in the code of the paper's authors, as a second counter.

It counts norms, activations and pooling, which torch does not, and leaves out the sum over the
neighbourhood of inhomogeneous weights. Its unit is the multiply-accumulate; the paper prints these
figures as FLOPs.
"""

import itertools

from space.architecture import Architecture, Stage
from space.errors import Problem, refuse
from space.geometry import MapSize
from space.mixer import Mixer
from space.mixer_types import mixer_type_named
from space.source_registry import of_source

_OPERATORS = ("DW-S Conv.", "Dynamic DW-S Conv.", "Dynamic Local-S MLP")
_MIXER_TYPES = tuple(mixer_type_named(name) for name in _OPERATORS)


def paper_macs(architecture: Architecture) -> int:
    """Multiply-accumulates for one image as the authors count them.

    Args:
        architecture: of conv blocks, merging between stages that double the width, with
            depth-wise, dynamic depth-wise or inhomogeneous dynamic depth-wise mixers.

    Raises:
        InputError: every reason why the authors' count is not defined for a network.
    """
    refuse(_problems(architecture))
    stages, sizes = architecture.stages, architecture.stage_sizes()
    width, positions = stages[0].width, sizes[0].positions
    pixels = architecture.input.channels * architecture.stem.patch_size**2
    total: int = (pixels + 1) * positions * width
    for stage, size in zip(stages, sizes, strict=True):
        total += sum(_block(stage, mixer, size) for mixer in stage.block_mixers())
    for stage, larger in zip(stages[:-1], sizes[:-1], strict=True):
        total += larger.positions * stage.width + larger.positions * 2 * stage.width**2
    # The last norm: the first map, halved once a stage, whatever the last map is.
    total += stages[-1].width * (positions >> len(stages))
    return total + stages[-1].width * architecture.head.classes


def _block(stage: Stage, mixer: Mixer, size: MapSize) -> int:
    width, positions = stage.width, size.positions
    norms_and_activations = 2 * width * positions + 8 * width * positions
    pointwise = 2 * positions * width**2
    mlp = 2 * positions * width * stage.hidden_width
    mixing = positions * width * (mixer.kernel_size or 1) ** 2
    paper_macs = of_source(mixer.dynamics, "costs", "paper_macs")
    weights: int = paper_macs(mixer, width, positions)
    return norms_and_activations + pointwise + mixing + mlp + weights


def _problems(architecture: Architecture) -> list[Problem]:
    allowed = "the authors' count is defined for"
    problems = []
    for name, value, wanted in (
        ("block_type", architecture.block_type, "conv"),
        ("stem.type", architecture.stem.type, "patch"),
        ("downsample", architecture.downsample, "merge"),
        ("head.norm", architecture.head.norm, "before"),
    ):
        if value != wanted:
            problems.append(Problem(name, f"is {value}; {allowed} {wanted} only"))
    stages = architecture.stages
    for index, (before, after) in enumerate(itertools.pairwise(stages), 1):
        if after.width != 2 * before.width:
            message = f"is {after.width}; {allowed} widths that double, here {2 * before.width}"
            problems.append(Problem(f"stages[{index}].width", message))
    for index, stage in enumerate(stages):
        for place, mixer in enumerate(stage.mixers):
            if mixer.type not in _MIXER_TYPES:
                where = f"stages[{index}].mixers[{place}]"
                message = f"is {mixer.name}; {allowed} {', '.join(_OPERATORS)}"
                problems.append(Problem(where, message))
    return problems
