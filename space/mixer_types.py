"""The types of token mixer: the legal combinations of axis values, and the names they have.

The paper names 12 of the 74 types (Figure 1); a few more have names elsewhere in the literature.
DW-S Conv., the depth-wise separable one, mixes tokens by a depth-wise convolution.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from space.axes import AXES, Channels, Dynamics, Locality, Rank, Sharing
from space.errors import InputError, Problem
from space.input.dataclass_fields import coerce_fields
from space.rules import broken_rules


@dataclass(frozen=True, slots=True, order=True)
class MixerType:
    """A legal combination of the five structural axes.

    Raises:
        InputError: naming every word that is no axis value, or every rule that the combination
            breaks.
    """

    locality: Locality
    channels: Channels
    rank: Rank
    sharing: Sharing
    dynamics: Dynamics

    def __post_init__(self) -> None:
        coerce_fields(self, AXES)
        rules = broken_rules(*self.values)
        if rules:
            raise InputError([Problem("", f"{self.label} breaks {rule}") for rule in rules])

    @classmethod
    def of(cls, words: Iterable[str]) -> "MixerType":
        """The mixer type with these axis values, given in the order of `space.axes.AXES`."""
        return cls(*words)  # type: ignore[arg-type]

    @property
    def values(self) -> tuple[Locality, Channels, Rank, Sharing, Dynamics]:
        """The axis values in the order of `space.axes.AXES`."""
        return self.locality, self.channels, self.rank, self.sharing, self.dynamics

    @property
    def label(self) -> str:
        """The axis values in one word, such as `sliding/separable/full/position/static`."""
        return "/".join(self.values)

    @property
    def paper_name(self) -> str | None:
        """The name in the paper's relation graph, if it has one."""
        return _PAPER_NAMES_BY_LABEL.get(self.label)

    @property
    def name(self) -> str:
        """The paper's name, else the literature's, else the label."""
        label = self.label
        return _PAPER_NAMES_BY_LABEL.get(label) or LITERATURE_NAMES.get(label) or label


PAPER_NAMES: dict[str, str] = {
    "MLP": "global/dense/full/none/static",
    "LR MLP": "global/dense/joint/none/static",
    "Conv.": "sliding/dense/full/position/static",
    "Bottleneck": "sliding/dense/channel/position/static",
    "Pyramid MS Conv.": "sliding/dense/spatial/position/static",
    "Sep. MLP": "global/separable/full/channel/static",
    "DW-S Conv.": "sliding/separable/full/position/static",
    "ViT": "global/separable/full/channel/attention",
    "Local ViT": "window/separable/full/channel/attention",
    "PVT": "global/separable/spatial/channel/attention",
    "Dynamic DW-S Conv.": "sliding/separable/full/position/homogeneous",
    "Dynamic Local-S MLP": "sliding/separable/full/channel/inhomogeneous",
}
"""The 12 nodes of the paper's relation graph (Figure 1) and their mixer types."""

_PAPER_NAMES_BY_LABEL = {label: name for name, label in PAPER_NAMES.items()}

LITERATURE_NAMES: dict[str, str] = {
    "window/separable/full/channel/static": "Local MLP",
    "sliding/separable/full/channel/attention": "Neighbourhood attention",
    "sliding/separable/full/both/static": "Lightweight conv.",
    "sliding/dense/full/position/homogeneous": "Conditional conv.",
    "sliding/dense/full/none/static": "Locally connected",
    "sliding/grouped/full/position/static": "Group conv.",
    "global/separable/full/channel/inhomogeneous": "Dense Synthesizer",
}
"""Names outside the relation graph: Local MLP is in the paper's text; neighbourhood attention
(Hassani et al. 2023), LightConv (Wu et al. 2019), CondConv (Yang et al. 2019) and the dense
Synthesizer (Tay et al. 2021) are in the literature."""


@cache
def all_mixer_types() -> tuple[MixerType, ...]:
    """Every mixer type that exists, in the order of the axis values: 74 of them."""
    combinations = itertools.product(Locality, Channels, Rank, Sharing, Dynamics)
    return tuple(MixerType(*values) for values in combinations if not broken_rules(*values))


def plain_name(name: str) -> str:
    """What tells names apart: case, spaces and punctuation do not."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


_LABELS_BY_PLAIN_NAME = {
    plain_name(name): label
    for name, label in [
        *PAPER_NAMES.items(),
        *((name, label) for label, name in LITERATURE_NAMES.items()),
        *((label, label) for label in (mixer_type.label for mixer_type in all_mixer_types())),
    ]
}


def is_operator_name(name: str) -> bool:
    """Whether a name or label is that of a mixer type, or the word for all of them."""
    return plain_name(name) in _LABELS_BY_PLAIN_NAME or plain_name(name) == "all"


def mixer_type_named(name: str) -> MixerType:
    """The mixer type with this name or label; case, spaces and punctuation do not matter.

    Raises:
        InputError: for a name that no mixer type has, or a label that breaks rules.
    """
    label = _LABELS_BY_PLAIN_NAME.get(plain_name(name))
    if label is None:
        label = _legal_label(name)
    return MixerType.of(label.split("/"))


def _legal_label(name: str) -> str:
    """`name` if it is written as a label of known axis values, whether the type exists or not."""
    words = name.split("/")
    if len(words) == len(AXES) and all(
        word in list(axis) for axis, word in zip(AXES.values(), words, strict=True)
    ):
        return name
    names = [*PAPER_NAMES, *LITERATURE_NAMES.values()]
    raise InputError.of(
        "",
        f"no operator is named {name[:80]!r}; allowed: {', '.join(names)}, or a label such as "
        "sliding/separable/full/position/static",
    )
