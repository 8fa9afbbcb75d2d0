"""Token mixers of one's own, beside those of the algebra: registered by name, used like any other.

`definition` is what is said of one (`register_mixer` writes it), `marks` what it declares on the
axes, `registry` who is registered, `plugins` the modules that register them, and `custom_mixer` the
value that stands in an architecture. All of it is torch free: `space.operators` builds, measures
and checks them.
"""

from space.custom.custom_mixer import CustomMixer, CustomType
from space.custom.definition import MixerDefinition
from space.custom.marks import UNDECLARED, Marks
from space.custom.plugins import load_plugins
from space.custom.registry import register_mixer, registered_mixers

__all__ = [
    "UNDECLARED",
    "CustomMixer",
    "CustomType",
    "Marks",
    "MixerDefinition",
    "load_plugins",
    "register_mixer",
    "registered_mixers",
]
