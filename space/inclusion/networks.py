"""Which networks contain which: the frame, the sizes of the stages, and mixer by mixer."""

from collections.abc import Iterator

from space.architecture import Architecture, Stage
from space.errors import InputError
from space.geometry import MapSize
from space.inclusion.kinds import Kind, kinds_between
from space.inclusion.mixers import place_refusal
from space.inclusion.place import Place


def inclusion_kinds(parent: Architecture, child: Architecture) -> tuple[Kind, ...] | None:
    """How the child contains the parent; None if it does not, so that no weights can be lifted.

    Cheap enough for thousands of candidates: sizes first, then mixers, whose answers are kept.

    Returns:
        The kinds of all steps between them; `Kind.SAME` alone for equal architectures.
    """
    if next(_frame_problems(parent, child), None) is not None:
        return None
    for special, general in _block_places(parent, child):
        if place_refusal(special, general) is not None:
            return None
    return kinds_of_lift(parent, child)


def kinds_of_lift(parent: Architecture, child: Architecture) -> tuple[Kind, ...]:
    """The kinds of all steps to a child that contains the parent, in order of use."""
    found: list[Kind] = []
    for special, general in zip(parent.stages, child.stages, strict=True):
        wider = general.hidden_width * special.width > special.hidden_width * general.width
        found += [Kind.DEPTH] * (general.depth > special.depth)
        found += [Kind.WIDTH] * (general.width > special.width) + [Kind.MLP_RATIO] * wider
        pairs = zip(special.block_mixers(), general.block_mixers(), strict=False)
        found += [
            kind for one, other in pairs if one != other for kind in kinds_between(one, other)
        ]
    return tuple(dict.fromkeys(found)) or (Kind.SAME,)


def check_frame(parent: Architecture, child: Architecture) -> None:
    """Refuses what is no inclusion whatever the mixers are.

    Raises:
        InputError: naming the first field.
    """
    for where, message in _frame_problems(parent, child):
        raise InputError.of(where, message)


def _frame_problems(parent: Architecture, child: Architecture) -> Iterator[tuple[str, str]]:
    for name in ("input", "stem", "scaffold", "downsample", "layer_scale", "head"):
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


def _block_places(parent: Architecture, child: Architecture) -> Iterator[tuple[Place, Place]]:
    """The mixers of the blocks that both have."""
    stages = zip(parent.stages, child.stages, parent.stage_sizes(), strict=True)
    for special, general, size in stages:
        ours, theirs = _places(special, size), _places(general, size)
        yield from zip(ours, theirs, strict=False)


def _places(stage: Stage, size: MapSize) -> Iterator[Place]:
    for block, mixer in enumerate(stage.block_mixers()):
        yield Place(mixer, stage.width, size, block % 2 == 1)
