"""Which mixers contain which: the inclusion edges of the relation graph."""

from collections.abc import Sequence
from dataclasses import dataclass

from space.canonical import canonical
from space.errors import InputError
from space.geometry import MapSize
from space.inclusion.kinds import Kind, kinds_between
from space.inclusion.mixers import place_refusal
from space.inclusion.place import Place
from space.mixer import Mixer


@dataclass(frozen=True, slots=True)
class InclusionEdge:
    """The special mixer's function is a function of the general one, on a map of one size.

    Attributes:
        parent: the special mixer, whose weights are lifted.
        child: the general mixer.
        kinds: in what they differ.
    """

    parent: Mixer
    child: Mixer
    kinds: tuple[Kind, ...]


def refusal(parent: Mixer, child: Mixer, width: int, size: MapSize) -> InputError | None:
    """Why the parent's weights cannot be lifted into the child, at some block; None if they can."""
    for shifted in (False, True):
        places = (Place(mixer, width, size, shifted) for mixer in (parent, child))
        if (error := place_refusal(*places)) is not None:
            return error
    return None


def inclusion(
    parent_mixer: Mixer, child_mixer: Mixer, width: int, size: MapSize
) -> tuple[Kind, ...] | None:
    """How the child contains the parent; None if it does not.

    Args:
        parent_mixer: the special mixer.
        child_mixer: the general mixer.
        width: channels of the map.
        size: the map; some inclusions hold at one size only.

    Returns:
        The kinds of the steps between them, one for a single step; `Kind.SAME` alone for mixers
        of one canonical form.

    Raises:
        InputError: for a mixer that the width does not fit.
    """
    parent, child = (canonical(mixer, width, size) for mixer in (parent_mixer, child_mixer))
    if refusal(parent, child, width, size) is not None:
        return None
    return kinds_between(parent, child)


def inclusion_edges(
    mixers: Sequence[Mixer], width: int, size: MapSize, single_steps: bool = True
) -> list[InclusionEdge]:
    """The inclusions between these mixers.

    Args:
        mixers: the choices, such as those of a stage of a design space.
        width, size: of the map.
        single_steps: leave out what takes steps of several kinds.
    """
    forms = list(dict.fromkeys(canonical(mixer, width, size) for mixer in mixers))
    edges = []
    for parent in forms:
        for child in forms:
            kinds = inclusion(parent, child, width, size) if parent != child else None
            if kinds is not None and (len(kinds) == 1 or not single_steps):
                edges.append(InclusionEdge(parent, child, kinds))
    return edges
