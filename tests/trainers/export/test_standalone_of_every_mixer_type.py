"""Each of the 74 mixer types in each block type as a stand-alone file: the same network."""

import pytest
import torch

from space import BLOCK_TYPES, MixerType, all_mixer_types
from tests.space.test_every_mixer_type_trains import network_of
from tests.trainers.export.standalone_files import assert_same, error, images, pair
from trainers.export.standalone import refusals, standalone_source


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_it_computes_and_learns_the_same(mixer_type: MixerType) -> None:
    for block_type in BLOCK_TYPES:
        architecture = network_of(mixer_type, block_type)
        assert refusals(architecture) == []
        theirs, ours = pair(architecture, standalone_source(architecture))
        batch = images(architecture)
        assert_same(theirs, ours, batch)
        with torch.no_grad():
            assert error(*(each.float().eval()(batch.float()) for each in (theirs, ours))) <= 1e-5
