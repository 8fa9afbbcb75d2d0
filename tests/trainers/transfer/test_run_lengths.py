"""COCO's run lengths: read as pycocotools writes them, and never handed on where they are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pycocotools import mask as masks

from tests.support.scene_folders import run_lengths
from trainers.transfer.data.instance_masks import binary_masks
from trainers.transfer.data.run_lengths import decoded_counts, fault_of_run_lengths

pictures = hnp.arrays(
    np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.booleans()
)


@given(pictures)
def test_compressed_ones_are_read_as_they_were_written(mask: NDArray[np.bool_]) -> None:
    written = masks.encode(np.asfortranarray(mask, dtype=np.uint8))["counts"].decode()
    counts = decoded_counts(written)
    assert counts == run_lengths(mask)["counts"]
    height, width = mask.shape
    segmentation = {"size": [height, width], "counts": written}
    assert fault_of_run_lengths(segmentation, height, width) is None
    assert np.array_equal(binary_masks([segmentation], height, width)[0], mask)


def test_long_runs_take_several_letters() -> None:
    mask = np.zeros((3000, 3000), np.uint8, order="F")
    mask[1500, 1500] = 1
    written = masks.encode(mask)["counts"].decode()
    assert decoded_counts(written) == [1500 * 3000 + 1500, 1, 3000 * 3000 - 1500 * 3000 - 1501]


@given(st.text(max_size=30))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    said = fault_of_run_lengths({"size": [5, 5], "counts": text}, 5, 5)
    if said is None:
        counts = decoded_counts(text)
        assert sum(counts) == 25
        assert min(counts) >= 0


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([10, 15], None),
        ([10, -5, 20], "run lengths that cannot be read"),
        ([10.0, 15], "run lengths that cannot be read"),
        ([True, 24], "run lengths that cannot be read"),
        (None, "run lengths that cannot be read"),
        ("ends amid o", "run lengths that cannot be read"),
        ([10, 14], "run lengths that do not cover their picture"),
    ],
)
def test_runs_cover_their_picture(counts: object, said: str | None) -> None:
    assert fault_of_run_lengths({"size": [5, 5], "counts": counts}, 5, 5) == said
