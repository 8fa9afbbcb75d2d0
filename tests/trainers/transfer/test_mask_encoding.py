"""Masks of models in the size of the file: the same as resizing each as a whole."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as masks
from torch.nn.functional import interpolate

from trainers.transfer.metrics.mask_encoding import encoded

edges = st.integers(1, 40)


@settings(max_examples=60)
@given(st.tuples(edges, edges), st.tuples(edges, edges), st.integers(0, 10_000))
def test_only_what_is_around_is_resized(
    before: tuple[int, int], after: tuple[int, int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(3, 1, 5, 5, generator=generator) ** 3
    given = interpolate(coarse, before, mode="bilinear", align_corners=False)
    given[2] = 0  # nothing at all
    resized = interpolate(given, after, mode="bilinear", align_corners=False)[:, 0]
    for runs, expected in zip(encoded(given, after), resized, strict=True):
        found = masks.decode(runs).astype(bool)
        assert found.shape == after
        clear = (expected - 0.5).abs().numpy() > 1e-5  # the order of rounding may differ
        assert np.array_equal(found[clear], (expected >= 0.5).numpy()[clear])


def test_masks_may_be_bool_and_none() -> None:
    mask = torch.zeros(1, 6, 8, dtype=torch.bool)
    mask[0, 2:4, 3:7] = True
    (same,) = encoded(mask, (6, 8))
    assert np.array_equal(masks.decode(same).astype(bool), mask[0].numpy())
    (twice,) = encoded(mask, (12, 16))
    assert masks.area(twice) == 4 * mask.sum()
    assert encoded(torch.zeros(0, 1, 6, 8), (6, 8)) == []
