"""Which networks contain which: the frame, the sizes of the stages, and mixer by mixer."""

from collections.abc import Iterator

from space.architecture import Architecture, Stage
from space.errors import InputError
from space.geometry import MapSize
from space.inclusion.mixer_inclusion import lift_refusal
from space.inclusion.mixer_on_map import MixerOnMap
from space.inclusion.step_kinds import InclusionKind, kinds_between


def inclusion_kinds(parent: Architecture, child: Architecture) -> tuple[InclusionKind, ...] | None:
    """How the child contains the parent; None if it does not, so that no weights can be lifted.

    Cheap enough for thousands of candidates: sizes first, then mixers, whose answers are kept.

    Returns:
        The kinds of all steps between them; `InclusionKind.SAME` alone for equal architectures.
    """
    if next(_frame_problems(parent, child), None) is not None:
        return None
    for special, general in _mixers_of_both(parent, child):
        if lift_refusal(special, general) is not None:
            return None
    return _kinds(parent, child)


def _kinds(parent: Architecture, child: Architecture) -> tuple[InclusionKind, ...]:
    """The kinds of all steps to a child that contains the parent, in order of use."""
    found: list[InclusionKind] = []
    for special, general in zip(parent.stages, child.stages, strict=True):
        grown = {
            InclusionKind.DEPTH: general.depth > special.depth,
            InclusionKind.WIDTH: general.width > special.width,
            InclusionKind.MLP_RATIO: general.hidden_width * special.width
            > special.hidden_width * general.width,
        }
        found += [kind for kind, is_grown in grown.items() if is_grown]
        pairs = zip(special.block_mixers(), general.block_mixers(), strict=False)
        found += [
            kind for one, other in pairs if one != other for kind in kinds_between(one, other)
        ]
    return tuple(dict.fromkeys(found)) or (InclusionKind.SAME,)


def check_frame(parent: Architecture, child: Architecture) -> None:
    """Refuses what is no inclusion whatever the mixers are.

    Raises:
        InputError: naming the first field.
    """
    for where, message in _frame_problems(parent, child):
        raise InputError.of(where, message)


def _frame_problems(parent: Architecture, child: Architecture) -> Iterator[tuple[str, str]]:
    for name in ("input", "stem", "block_type", "downsample", "layer_scale", "head"):
        before, after = getattr(parent, name), getattr(child, name)
        if before != after:
            yield name, f"{after} instead of {before}; both must be equal"
    if len(parent.stages) != len(child.stages):
        count = f"{len(child.stages)} instead of {len(parent.stages)}"
        yield "stages", f"{count}; a new stage halves the map"
        return
    for index, (special, general) in enumerate(zip(parent.stages, child.stages, strict=True)):
        for name, message in _stage_problems(special, general):
            yield f"stages[{index}].{name}", message
    before, after = parent.stages[-1].width, child.stages[-1].width
    if not parent.head.classes and before != after:
        message = f"{after} instead of {before}; without classes the features are the output"
        yield f"stages[{len(parent.stages) - 1}].width", message


def _stage_problems(special: Stage, general: Stage) -> Iterator[tuple[str, str]]:
    if general.depth < special.depth:
        yield "depth", f"{general.depth} is not allowed; at least the parent's {special.depth}"
    if general.width % special.width:
        message = f"{general.width} is no multiple of the parent's {special.width}"
        yield "width", f"{message}; layer norms would see other means"
    if general.hidden_width < special.hidden_width:
        hidden = f"{general.hidden_width} hidden channels"
        yield "mlp_ratio", f"{hidden} are fewer than {special.hidden_width}"


def _mixers_of_both(
    parent: Architecture, child: Architecture
) -> Iterator[tuple[MixerOnMap, MixerOnMap]]:
    """The mixers of the blocks that both have."""
    stages = zip(parent.stages, child.stages, parent.stage_sizes(), strict=True)
    for special, general, size in stages:
        ours, theirs = _mixers(special, size), _mixers(general, size)
        yield from zip(ours, theirs, strict=False)


def _mixers(stage: Stage, size: MapSize) -> Iterator[MixerOnMap]:
    for block, mixer in enumerate(stage.block_mixers()):
        yield MixerOnMap(mixer, stage.width, size, block % 2 == 1)
