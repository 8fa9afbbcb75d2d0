"""A token mixer: a type of mixer with its sizes and options, everything but the width."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, StrictBool, StrictInt

from space.axes import AXES, Channels, Dynamics, Locality, Rank, Sharing
from space.errors import InputError, Problem, refuse
from space.input.dataclass_fields import Kind, coerce_fields, from_plain, shown
from space.mixer_types import MixerType, is_operator_name, mixer_type_named
from space.rules import Rule, Values, broken_rules

MAX_KERNEL_SIZE = 31
_MOST = 65536
_REMEMBERED = 1 << 13  # mixers with their plain values, about 1 kB each
_MOST_REDUCTION = 64
"""Edge of the patches of a spatial reduction; a map is padded to a multiple of it."""

Reduction = Literal["matched", "dense", "average"]

_COUNTS = ("kernel_size", "groups", "heads", "ratio", "generator_ratio")
_FLAGS = ("bias", "shift", "position_bias", "query_key_bias", "reduction_norm")
_KINDS: dict[str, Kind] = {
    **AXES,
    **dict.fromkeys(_COUNTS, int),
    **dict.fromkeys(_FLAGS, bool),
    "reduction": get_args(Reduction),
}


@dataclass(frozen=True, slots=True)
class Mixer:
    """y[p, c] = Σ_q Σ_c' W[p, q, c, c'](x) · x[q, c'], with W as the axes say (paper, Section 2).

    A field left at None takes its default where it applies and stays None where it does not, so
    that two equal mixers have equal fields.

    Attributes:
        kernel_size: edge of the neighbourhood (sliding, odd) or of the tile (window); 1 to 31.
        groups: number of channel groups (channels grouped).
        heads: number of weight sets that the channels share (sharing channel or both).
        ratio: C → C/ratio (rank channel), ratio×ratio positions to one (rank spatial), or
            N·C → N·C/ratio (rank joint). A ratio of 1 is no factor.
        bias: a learned constant per channel after the sum; by default where weights are shared
            across positions, as convolutions have it.
        shift: tiles move by kernel_size // 2 in every second block of a stage (window; Swin).
        position_bias: relative position bias of attention (by default in windows only, as Swin).
        query_key_bias: bias of the query and key projections (attention).
        generator_ratio: C → C/ratio inside the generator of dynamic weights (the paper's is 4).
        reduction: how rank spatial reduces R×R positions to one: `matched` (a strided
            convolution as sparse between channels as the mixer), `dense` (one over all channels,
            PVT's, the default of attention) or `average`.
        reduction_norm: a layer norm after the reduction (PVT's, the default of attention).

    Raises:
        InputError: one problem for every field of another type or, where there is none, for every
            field that is off and every rule that is broken.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")
    is_custom: ClassVar[bool] = False
    """Whether it was registered by name (`space.custom`), and is no combination of axes."""

    locality: Locality
    channels: Channels
    rank: Rank
    sharing: Sharing
    dynamics: Dynamics
    kernel_size: StrictInt | None = None
    groups: StrictInt | None = None
    heads: StrictInt | None = None
    ratio: StrictInt | None = None
    bias: StrictBool | None = None
    shift: StrictBool | None = None
    position_bias: StrictBool | None = None
    query_key_bias: StrictBool | None = None
    generator_ratio: StrictInt | None = None
    reduction: Reduction | None = None
    reduction_norm: StrictBool | None = None

    def __post_init__(self) -> None:
        coerce_fields(self, _KINDS)
        problems = [Problem("", f"breaks {rule}") for rule in _broken_rules(self._axis_values)]
        problems += _size_problems(self)
        applicable = _applicable(self._axis_values)
        for name in _OPTIONAL:
            value = getattr(self, name)
            if name not in applicable:
                if value is not None:
                    problems.append(
                        Problem(name, f"does not apply to {'/'.join(self._axis_values)}")
                    )
            elif value is None:
                object.__setattr__(self, name, applicable[name])
        refuse(problems)

    @property
    def _axis_values(self) -> Values:
        return self.locality, self.channels, self.rank, self.sharing, self.dynamics

    @property
    def type(self) -> MixerType:
        """The type of mixer that it is, without its sizes."""
        return _mixer_type(self._axis_values)

    @property
    def name(self) -> str:
        """The paper's name, else the literature's, else the label of the type."""
        return self.type.name

    @property
    def label(self) -> str:
        """Name and sizes in a few words, such as `Local ViT k7 h4`."""
        sizes = [("k", self.kernel_size), ("g", self.groups), ("h", self.heads), ("r", self.ratio)]
        return " ".join([self.name, *(f"{key}{size}" for key, size in sizes if size is not None)])

    @property
    def position_shared(self) -> bool:
        """Whether W depends on q − p only."""
        return self.sharing in (Sharing.POSITION, Sharing.BOTH)

    @property
    def channel_shared(self) -> bool:
        """Whether the channels of a head have equal weights."""
        return self.sharing in (Sharing.CHANNEL, Sharing.BOTH)

    @staticmethod
    def applicable(
        locality: Locality, channels: Channels, rank: Rank, sharing: Sharing, dynamics: Dynamics
    ) -> dict[str, Any]:
        """The fields that apply to these axis values, with their defaults."""
        source = dynamics.source
        defaults: dict[str, Any] = {"bias": sharing in (Sharing.POSITION, Sharing.BOTH)}
        if locality is not Locality.GLOBAL:
            defaults["kernel_size"] = None
        if channels is Channels.GROUPED:
            defaults["groups"] = None
        if sharing in (Sharing.CHANNEL, Sharing.BOTH):
            defaults["heads"] = 1
        if rank is not Rank.FULL:
            defaults["ratio"] = None
        if locality is Locality.WINDOW:
            defaults["shift"] = True
        defaults |= source.options(locality)
        if rank is Rank.SPATIAL:
            defaults["reduction"] = source.reduction
            defaults["reduction_norm"] = source.reduction_norm
        return defaults

    def changed(self, **changes: Any) -> "Mixer":
        """This mixer with some fields changed; fields that no longer apply are dropped."""
        if all(getattr(self, name, None) == value for name, value in changes.items()):
            return self
        values = {field.name: getattr(self, field.name) for field in fields(self)} | changes
        mixer_type = MixerType(*(values.pop(name) for name in AXES))
        applicable = Mixer.applicable(*mixer_type.values)
        kept = {name: values[name] for name in values if name in applicable}
        return Mixer(*mixer_type.values, **kept)

    def _repr_html_(self) -> str:
        # By its name: what draws a mixer knows mixers, and nothing that only draws is loaded here.
        html: str = import_module("space.html").of_mixer(self)
        return html

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without the fields that do not apply."""
        return dict(_plain_values(self))

    @classmethod
    def named(cls, operator: str, **fields: Any) -> "Mixer":
        """The mixer of a type's name or label, such as `Mixer.named("dw-s conv.", kernel_size=7)`.

        Raises:
            InputError: for a name that no type has and nobody has registered, and for fields as the
                constructor does.
        """
        if not isinstance(operator, str):
            raise InputError.of("operator", f"must be the name of one; got {shown(operator)}")
        if is_operator_name(operator) or not _is_registered(operator):
            values = dict(zip(AXES, mixer_type_named(operator).values, strict=True))
            return cls.from_dict(values | fields, "")
        custom: Mixer = _custom().CustomMixer(operator, fields)
        return custom

    @classmethod
    def from_dict(cls, values: object, where: str = "mixer") -> "Mixer":
        """The mixer that `to_dict` describes.

        Raises:
            InputError: with every problem, below the path `where`.
        """
        if isinstance(values, Mapping) and "custom" in values:
            custom: Mixer = _custom().CustomMixer.from_dict(values, where)
            return custom
        return from_plain(cls, values, where)


def _custom() -> Any:
    """By its name: custom mixers are mixers, and most programs have none."""
    return import_module("space.custom")


def _is_registered(name: str) -> bool:
    return _custom().registry.registered(name) is not None


_OPTIONAL = tuple(field.name for field in fields(Mixer) if field.name not in AXES)


# Asked for every mixer that is made, of a few hundred combinations at most.


@cache
def _mixer_type(values: Values) -> MixerType:
    return MixerType(*values)


@cache
def _broken_rules(values: Values) -> tuple[Rule, ...]:
    return tuple(broken_rules(*values))


@cache
def _applicable(values: Values) -> dict[str, Any]:
    return Mixer.applicable(*values)


@lru_cache(_REMEMBERED)
def _plain_values(mixer: Mixer) -> dict[str, Any]:
    values = ((field.name, getattr(mixer, field.name)) for field in fields(mixer))
    return {
        name: str(value) if isinstance(value, str) else value
        for name, value in values
        if value is not None
    }


def _size_problems(mixer: Mixer) -> list[Problem]:
    problems = []
    for name in _COUNTS:
        value = getattr(mixer, name)
        most = _MOST_REDUCTION if name == "ratio" and mixer.rank is Rank.SPATIAL else _MOST
        if value is not None and not 1 <= value <= most:
            message = f"{shown(value)} is not allowed; must be at least 1 and at most {most}"
            problems.append(Problem(name, message))
    kernel = mixer.kernel_size
    if kernel is not None and not 1 <= kernel <= _MOST:
        return problems
    if mixer.locality is not Locality.GLOBAL:
        if kernel is None:
            problems.append(Problem("kernel_size", f"is required by {mixer.locality} locality"))
        elif kernel > MAX_KERNEL_SIZE:
            problems.append(Problem("kernel_size", f"{kernel} is not allowed; must be at most 31"))
        elif mixer.locality is Locality.SLIDING and kernel % 2 == 0:
            problems.append(
                Problem("kernel_size", f"{kernel} is not allowed; a sliding kernel is odd")
            )
    if mixer.channels is Channels.GROUPED and mixer.groups is None:
        problems.append(Problem("groups", "is required by grouped channels"))
    if mixer.rank is not Rank.FULL and mixer.ratio is None:
        problems.append(Problem("ratio", f"is required by rank {mixer.rank}"))
    return problems
