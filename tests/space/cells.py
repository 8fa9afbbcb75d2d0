"""All mixer types in all block types, as parameters of a test: a third of them by default.

Each mixer type is in the default run with one block type, and each block type with a third of the
mixer types; the other pairs are slow.
"""

from typing import Any

import pytest

from space import BLOCK_TYPES, MixerType, all_mixer_types


def every_mixer_type() -> pytest.MarkDecorator:
    """A test of each of the 74 mixer types."""
    return pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=label)


def every_mixer_type_and_block_type() -> pytest.MarkDecorator:
    """A test of each mixer type in each block type."""
    return pytest.mark.parametrize(("mixer_type", "block_type"), _pairs(), ids=label)


def every_mixer_type_and_block_type_slowly(default: int) -> pytest.MarkDecorator:
    """The same, of which only each `default`-th is not slow: for what takes a second and more."""
    pairs = [
        pair if place % default == 0 else pytest.param(*pair.values, marks=pytest.mark.slow)
        for place, pair in enumerate(sorted(_pairs(), key=lambda pair: len(pair.marks)))
    ]
    return pytest.mark.parametrize(("mixer_type", "block_type"), pairs, ids=label)


def label(value: Any) -> str:
    return value.label if isinstance(value, MixerType) else str(value)


def _pairs() -> list[Any]:
    return [
        pytest.param(mixer_type, block_type, marks=[pytest.mark.slow] if (place + turn) % 3 else [])
        for place, mixer_type in enumerate(all_mixer_types())
        for turn, block_type in enumerate(BLOCK_TYPES)
    ]
