"""The paper authors' own counter, to the printed digits."""

from typing import Any

import numpy as np
import pytest

from space import InputError
from space.cost import paper_macs
from space.published import ENTRIES
from tests.space.spaces import TINY, everything, paper_network

PRINTED = {
    "dwnet_tiny": 3.7421,
    "dwnet_base": 12.8447,
    "dynamic_dwnet_tiny": 3.7705,
    "dynamic_dwnet_base": 12.9350,
    "i_dynamic_dwnet_tiny": 4.3894,
    "i_dynamic_dwnet_base": 14.3724,
}


@pytest.mark.parametrize(("name", "printed"), PRINTED.items())
def test_the_six_networks(name: str, printed: float) -> None:
    assert round(paper_macs(ENTRIES[name].architecture) / 1e9, 4) == printed


@pytest.mark.parametrize(
    ("kernel_size", "printed"),
    [(3, 3.685), (5, 3.708), (7, 3.742), (9, 3.788), (11, 3.845), (13, 3.914)],
)
def test_the_kernel_sweep(kernel_size: int, printed: float) -> None:
    counted = paper_macs(paper_network("dw-s conv.", TINY, kernel_size=kernel_size))
    assert counted / 1e9 == pytest.approx(printed, abs=5.1e-4)


@pytest.mark.parametrize(
    ("operator", "fields", "where"),
    [
        ("local vit", {"heads": "swin"}, "stages[0].mixers[0]: is Local ViT"),
        ("dw-s conv.", {"block_type": "prenorm"}, "block_type: is prenorm"),
    ],
)
def test_other_networks_are_refused(operator: str, fields: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        paper_macs(paper_network(operator, TINY, kernel_size=7, **fields))
    assert where in str(refused.value)


def test_any_network_is_counted_or_refused() -> None:
    rng, space = np.random.default_rng(0), everything()
    for _ in range(50):
        with pytest.raises(InputError):
            paper_macs(space.sample(rng))
