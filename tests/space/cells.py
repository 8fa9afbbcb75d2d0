"""All mixer types in all block types, as parameters of a test: a sixth of them by default.

Each mixer type without rank factors, and the paper's with one, are in the default run with one
block type; the other pairs are slow.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space import BLOCK_TYPES, Architecture, MixerType, all_mixer_types, mixer_type_named
from space.axes import Locality, Rank
from space.networks import Network, build
from tests.space.test_every_mixer_type_trains import mixer_fields

EDGES = 9, 7
"""Height and width of the images; a stem of patches of 2 makes maps of 5×4 of them."""


def every_mixer_type() -> pytest.MarkDecorator:
    """A test of each mixer type."""
    quick = [pytest.param(each) for each in all_mixer_types() if _is_quick(each)]
    slow = [each for each in all_mixer_types() if not _is_quick(each)]
    slowly = [pytest.param(each, marks=pytest.mark.slow) for each in slow]
    return pytest.mark.parametrize("mixer_type", quick + slowly, ids=_label)


def every_mixer_type_and_block_type() -> pytest.MarkDecorator:
    """A test of each mixer type in each block type."""
    return pytest.mark.parametrize(_NAMES, _pairs(), ids=_label)


def every_mixer_type_and_block_type_slowly(*default: str) -> pytest.MarkDecorator:
    """The same for what takes long: of these mixer types, one block type each is not slow."""
    quick = [mixer_type_named(name) for name in default]
    return pytest.mark.parametrize(
        _NAMES,
        [
            pair
            if pair.marks or pair.values[0] in quick
            else pytest.param(*pair.values, marks=pytest.mark.slow)
            for pair in _pairs()
        ],
        ids=_label,
    )


_NAMES = ("mixer_type", "block_type")


def _label(value: Any) -> str:
    return value.label if isinstance(value, MixerType) else str(value)


def _pairs() -> list[Any]:
    return [
        pytest.param(
            mixer_type,
            block_type,
            marks=[] if (place + turn) % 3 == 0 and _is_quick(mixer_type) else [pytest.mark.slow],
        )
        for place, mixer_type in enumerate(all_mixer_types())
        for turn, block_type in enumerate(BLOCK_TYPES)
    ]


def _is_quick(mixer_type: MixerType) -> bool:
    return mixer_type.rank is Rank.FULL or mixer_type.paper_name is not None


def small_network(mixer_type: MixerType, block_type: str, depth: int | None = None) -> Network:
    """A network of one stage of 8 channels, in eval mode.

    It has one block, and two of windows, as the second moves them.
    """
    torch.manual_seed(0)
    depth = depth or (2 if mixer_type.locality is Locality.WINDOW else 1)
    stage = {"depth": depth, "width": 8, "mlp_ratio": 2, "mixers": [mixer_fields(mixer_type)]}
    architecture = Architecture.from_dict(
        {
            "input": {"channels": 2, "height": EDGES[0], "width": EDGES[1]},
            "stem": {"patch_size": 2},
            "block_type": block_type,
            "stages": [stage],
            "head": {"classes": 3},
        }
    )
    assert [mixer.type for mixer in architecture.mixers()] == [mixer_type]
    network = build(architecture).eval()
    off_their_first_values(network)
    return network


def off_their_first_values(network: nn.Module, by: float = 0.1) -> None:
    """Parameters and statistics that tell whether they are used, where first ones are 0 or 1."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=by)
        for name, buffer in network.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
            elif name.endswith("running_mean"):
                buffer.normal_(std=0.1)


def images(count: int) -> Tensor:
    return torch.randn(count, 2, *EDGES)


def assert_alike(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
