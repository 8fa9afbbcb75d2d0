"""The idx reader: round trips, and every way in which a file can be wrong."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from space.errors import InputError
from trainers.data.idx import read_idx, write_idx

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@given(shape=st.tuples(*[st.integers(1, 6)] * 3), seed=st.integers(0, 2**31))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_arrays_are_read_back(shape: tuple[int, ...], seed: int, tmp_path: Path) -> None:
    array = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    write_idx(tmp_path / "a.gz", array)
    assert np.array_equal(read_idx(tmp_path / "a.gz", 3), array)


def test_plain_files_are_read_too(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", IMAGES)
    (tmp_path / "a").write_bytes(gzip.decompress((tmp_path / "a.gz").read_bytes()))
    assert np.array_equal(read_idx(tmp_path / "a", 3), IMAGES)


def test_same_array_same_bytes(tmp_path: Path) -> None:
    write_idx(tmp_path / "a.gz", IMAGES)
    write_idx(tmp_path / "b.gz", IMAGES)
    whole = (tmp_path / "a.gz").read_bytes()
    assert whole == (tmp_path / "b.gz").read_bytes()
    assert whole[3:8] == bytes(5)  # neither a name nor a date


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    write_idx(path, IMAGES)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"images\.gz"):
            read_idx(path, 3)


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_never_changes_what_is_read(position: int, bit: int, tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    write_idx(path, IMAGES)
    damaged = bytearray(path.read_bytes())
    damaged[position % len(damaged)] ^= 1 << bit
    path.write_bytes(damaged)
    try:
        found = read_idx(path, 3)
    except InputError:
        return
    assert np.array_equal(found, IMAGES)  # a bit that gzip has no use for, such as the date


@given(junk=st.binary(max_size=200))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_is_refused(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_bytes(junk)
    with pytest.raises(InputError, match="junk"):
        read_idx(path, 3)


def refusal(path: Path, dimensions: int = 3) -> str:
    with pytest.raises(InputError) as error:
        read_idx(path, dimensions)
    (problem,) = error.value.problems
    assert problem.where == "data.folder"
    return problem.message


NOT_IDX = "is not the idx file expected: its"
MAGIC = "and must be 0x00000803"
OUTSIDE = "are outside 1 to 1073741824 bytes in all"


@pytest.mark.parametrize(
    ("header", "body", "said"),
    [
        ((0x0801, 1, 2, 2), b"", f"{NOT_IDX} magic number is 0x00000801 {MAGIC}"),
        ((0x0D03, 1, 2, 2), b"", f"{NOT_IDX} magic number is 0x00000d03 {MAGIC}"),
        ((0x0803, 1, 2), b"", f"{NOT_IDX} header has 12 bytes of 16"),
        ((0x0803, 0, 2, 2), b"", f"{NOT_IDX} sizes [0, 2, 2] {OUTSIDE}"),
        ((0x0803, 2**30 + 1, 1, 1), b"", f"{NOT_IDX} sizes [1073741825, 1, 1] {OUTSIDE}"),
        ((0x0803, 2**30, 1, 1), b"", "states 1073741824 bytes in its header and holds 0"),
        ((0x0803, 1, 1, 1), b"", "states 1 bytes in its header and holds 0"),
        ((0x0803, 1, 2, 2), b"123", "states 4 bytes in its header and holds 3"),
        ((0x0803, 1, 2, 2), b"12345", "states 4 bytes in its header and holds more"),
    ],
)
def test_wrong_headers_are_named(
    header: tuple[int, ...], body: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "images"
    path.write_bytes(struct.pack(f">{len(header)}I", *header) + body)
    assert refusal(path) == f"{path} {said}"


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    nowhere, cut, folder = tmp_path / "nowhere.gz", tmp_path / "cut.gz", tmp_path
    assert refusal(nowhere, 1) == f"{nowhere} cannot be read (No such file or directory)"
    assert refusal(folder, 1) == f"{folder} cannot be read (Is a directory)"
    write_idx(cut, IMAGES)
    cut.write_bytes(cut.read_bytes()[:-4])
    ended = "Compressed file ended before the end-of-stream marker was reached"
    assert refusal(cut) == f"{cut} is corrupt or truncated ({ended})"


def test_labels_and_images_have_the_shapes_that_they_state(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_bytes(struct.pack(">2I", 0x0801, 3) + b"abc")
    found = read_idx(one, 1)
    assert (found.tolist(), found.dtype) == ([97, 98, 99], np.uint8)
