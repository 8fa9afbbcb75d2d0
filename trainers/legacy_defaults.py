"""What protocols of earlier releases did before a field of today existed.

A field's default is for what people write today, and may be another value than that. So a stored
protocol is read with the values below where it lacks a field, and they are left out of its hash: an
old study keeps its hash and its ways, and results made by another rule never compare with it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

LEGACY_DEFAULTS: dict[str, Any] = {
    "initialisation": "scratch",
    "weight_decay_exempt": "one_dimensional",
    "judged_by": "best",
    "weight_init": "published",
    "ema_decay": None,
    "samples_per_epoch": None,
    "accumulation": 1,
    "batch_norm_parts": 1,
    "layer_decay": None,
    "max_nonfinite_steps": 10,
    "source_protocol": None,
    "augmentation": {"background": "white", "repeats": 1},
}
"""By field what was done without it; the fields of a part are nested.

One was not done: the first step that was not finite ended a trial, without a result. All trials
that have one had no such step, so they are what `max_nonfinite_steps` of today makes of them.
"""

Values = Mapping[str, Any]


def with_legacy_defaults(stored: Values, later: Values = LEGACY_DEFAULTS) -> dict[str, Any]:
    """The values of a stored protocol, and what they stood for where they lack a field."""
    found = dict(stored)
    for name, value in later.items():
        if isinstance(value, Mapping):
            found[name] = with_legacy_defaults(found.get(name, {}), value)
        else:
            found.setdefault(name, value)
    return found


def without_legacy_defaults(values: Values, later: Values = LEGACY_DEFAULTS) -> dict[str, Any]:
    """The values that are hashed: what every earlier protocol did is not among them."""
    found = dict(values)
    for name, value in later.items():
        if isinstance(value, Mapping):
            found[name] = without_legacy_defaults(found[name], value)
        elif found[name] == value:
            del found[name]
    return found


def values_to_resume(
    given: BaseModel, stored: Values, later: Values = LEGACY_DEFAULTS
) -> dict[str, Any]:
    """What somebody asks for who goes on with a stored study.

    A field that the study does not know yet, and that nobody wrote, asks for no change: it is what
    the study did, not the default of this release.
    """
    values = given.model_dump(mode="json")
    for name, value in later.items():
        if isinstance(value, Mapping):
            values[name] = values_to_resume(getattr(given, name), stored.get(name, {}), value)
        elif name not in stored and name not in given.model_fields_set:
            values[name] = value
    return values
