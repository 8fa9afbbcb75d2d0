"""Each of the 74 mixer types in each block type as a stand-alone file: the same network."""

import pytest
import torch

from space import BLOCK_TYPES, MixerType, all_mixer_types
from tests.space.test_every_mixer_type_trains import network_of
from tests.support.thorough import thorough_but
from tests.trainers.export.standalone_files import assert_same, error, images, pair
from trainers.export.standalone import refusals, standalone_source

EVERY_BLOCK_TYPE = tuple(BLOCK_TYPES)


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
@pytest.mark.parametrize("turn", thorough_but(range(len(EVERY_BLOCK_TYPE)), lambda turn: turn == 0))
def test_it_computes_and_learns_the_same(mixer_type: MixerType, turn: int) -> None:
    """The block types take turns, so that each is among those of the default suite."""
    place = all_mixer_types().index(mixer_type) + turn
    architecture = network_of(mixer_type, EVERY_BLOCK_TYPE[place % len(EVERY_BLOCK_TYPE)])
    assert refusals(architecture) == []
    theirs, ours = pair(architecture, standalone_source(architecture))
    batch = images(architecture)
    assert_same(theirs, ours, batch)
    with torch.no_grad():
        assert error(*(each.float().eval()(batch.float()) for each in (theirs, ours))) <= 1e-5
