"""Ids are the same on every machine and in every release: `golden_ids.json` never changes.

New lines may be added. A line that changes breaks every store in the world.
"""

import json
from pathlib import Path

from space import BLOCK_TYPES, Architecture, all_mixer_types
from space.published import ENTRIES
from tests.space.test_architecture import CONVOLUTION, SMALL, attention, with_mixers
from tests.space.test_every_mixer_type_trains import network_of

GOLDEN = Path(__file__).with_name("golden_ids.json")


def architectures() -> dict[str, Architecture]:
    """Every published network, every mixer type in every block, and one example of each fold."""
    found = {f"zoo/{name}": entry.architecture for name, entry in ENTRIES.items()}
    for mixer_type in all_mixer_types():
        for block_type in BLOCK_TYPES:
            found[f"{mixer_type.label}/{block_type}"] = network_of(mixer_type, block_type)
    window = attention("window", kernel_size=3)
    return found | {
        "small": Architecture.from_dict(SMALL),
        "fold/covering window": with_mixers(
            attention("window", kernel_size=7, position_bias=False)
        ),
        "fold/one group a channel": with_mixers(
            CONVOLUTION | {"channels": "grouped", "groups": 16}
        ),
        "fold/covering kernel": with_mixers(CONVOLUTION | {"kernel_size": 31}),
        "fold/one tap": with_mixers(attention("window", kernel_size=1)),
        "fold/repeated pattern": with_mixers(CONVOLUTION, CONVOLUTION),
        "option/no shift": with_mixers(window | {"shift": False}),
        "option/no position bias": with_mixers(window | {"position_bias": False}),
        "option/no query and key bias": with_mixers(window | {"query_key_bias": False}),
        "option/no bias": with_mixers(CONVOLUTION | {"bias": False}),
    }


def test_no_id_has_changed() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert {name: a.id for name, a in architectures().items()} == golden
