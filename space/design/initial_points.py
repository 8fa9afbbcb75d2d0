"""First points of a search: named operators, hybrids, and every axis value still untouched."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from space.architecture import Architecture
from space.axes import AXES, Locality
from space.cells import LITERATURE_NAMES, PAPER_NAMES, cell_named
from space.design.stage_options import Keep
from space.mixer import Mixer

SampleWhere = Callable[[Sequence[Keep | None]], Architecture | None]

_TOUCHED = (*AXES, "kernel_size")
NAMED_OPERATORS = (*PAPER_NAMES, LITERATURE_NAMES["window/separable/full/channel/static"])
"""The nodes of the paper's relation graph, and Local MLP, which its text compares them with."""


def axis_values(mixer: Mixer) -> set[tuple[str, str]]:
    """(axis, value) pairs of a mixer; the kernel size counts as an axis."""
    pairs = ((name, getattr(mixer, name)) for name in _TOUCHED)
    return {(name, str(value)) for name, value in pairs if value is not None}


def _is_named(name: str, mixer: Mixer) -> bool:
    return mixer.name == name


def _has_value(pair: tuple[str, str], mixer: Mixer) -> bool:
    return pair in axis_values(mixer)


def named_points(stages: int, sample: SampleWhere) -> Iterator[tuple[str, Architecture]]:
    """One architecture for each named operator that all stages of the space can have.

    Args:
        stages: number of stages.
        sample: draws an architecture whose mixers are kept, given a condition for each stage.
    """
    for name in NAMED_OPERATORS:
        architecture = sample([partial(_is_named, name)] * stages)
        if architecture is not None:
            yield f"named:{name}", architecture


def _is_local(mixer: Mixer) -> bool:
    return mixer.locality is not Locality.GLOBAL


def hybrid_points(stages: int, sample: SampleWhere) -> Iterator[tuple[str, Architecture]]:
    """Local operators in all stages but the last, which has a global one: one network for each.

    Convolutions early and attention late is what CoAtNet (Dai et al., 2021) found best.

    Args:
        stages, sample: as in `named_points`. With a single stage there is none.
    """
    for name in NAMED_OPERATORS if stages > 1 else ():
        if cell_named(name).locality is Locality.GLOBAL:
            conditions: list[Keep | None] = [_is_local] * (stages - 1)
            architecture = sample([*conditions, partial(_is_named, name)])
            if architecture is not None:
                yield f"hybrid:{name}", architecture


def axis_points(
    offered: list[set[tuple[str, str]]], touched: set[tuple[str, str]], sample: SampleWhere
) -> Iterator[tuple[str, Architecture]]:
    """Architectures that together touch every axis value that the space offers.

    Args:
        offered: the axis values of each stage's mixers.
        touched: axis values that earlier points have.
        sample: as in `named_points`.
    """
    for pair in sorted(set().union(*offered)):
        if pair in touched:
            continue
        has_it = partial(_has_value, pair)
        conditions = [has_it if pair in values else None for values in offered]
        architecture = sample(conditions)
        if architecture is not None:
            touched |= set().union(*(axis_values(m) for m in architecture.mixers()))
            yield f"axes:{pair[0]}={pair[1]}", architecture
