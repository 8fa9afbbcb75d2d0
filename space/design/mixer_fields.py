"""The fields in which mixers of one type differ: sizes and options, and those of custom mixers."""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from space.axes import AXES
from space.custom import CustomMixer
from space.mixer import Mixer

SIZES_AND_OPTIONS = tuple(field.name for field in fields(Mixer) if field.name not in AXES)
"""The fields of a mixer of the algebra that are no axes."""

_values = attrgetter(*SIZES_AND_OPTIONS)


def field_names(mixers: Iterable[Mixer]) -> tuple[str, ...]:
    """Those of the algebra, then the options that custom mixers among these have besides."""
    own = (name for m in mixers if isinstance(m, CustomMixer) for name in m.all_options)
    return tuple(dict.fromkeys((*SIZES_AND_OPTIONS, *own)))


def field_value(mixer: Mixer, name: str) -> Any:
    """What a mixer has in a field; None where it has none."""
    if isinstance(mixer, CustomMixer):
        return mixer.all_options.get(name)
    return getattr(mixer, name, None)


def field_values(mixer: Mixer) -> tuple[Any, ...]:
    """All of a mixer, to be compared with those of others of its type."""
    return tuple(mixer.all_options.values()) if isinstance(mixer, CustomMixer) else _values(mixer)
