"""Kinds of pictures, whole and damaged, beside those that photographs usually are."""

import errno
import os
import random
import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainers import Cause, Protocol, UnreadableData, classify
from trainers.data.augmentation import test_transform as evaluation
from trainers.data.augmentation import train_transform
from trainers.data.image_folder import decoding as picture
from trainers.data.image_folder import deep_grey
from trainers.data.image_folder.decoding import (
    BROKEN,
    decode,
    is_of_the_file,
    read_header,
    readable_formats,
)
from trainers.data.image_folder.inspection import inspect_files

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def read(content: bytes) -> Any:
    return np.asarray(decode(BytesIO(content)))


def tiff(bits: int, photometric: int, pixels: bytes, width: int = 2, order: str = "<") -> bytes:
    """One row of unsigned grey, written out by hand as no library here writes all of these."""
    fields = {256: width, 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: 1}
    fields |= {279: len(pixels), 339: 1}
    padded = pixels + b"\0" * (len(pixels) % 2)
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, 4, 1) + struct.pack(f"{order}I", value)
        for tag, value in sorted(fields.items())
    )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(padded))
    return start + padded + struct.pack(f"{order}H", len(fields)) + entries + b"\0" * 4


@pytest.mark.parametrize(
    ("content", "levels"),
    [
        (tiff(12, 1, bytes([0xFF, 0xF8, 0x00])), [255, 128]),
        (tiff(16, 1, struct.pack("<2H", 65535, 32768)), [255, 128]),
        (tiff(16, 1, struct.pack(">2H", 65535, 32768), order=">"), [255, 128]),
        (tiff(16, 0, struct.pack("<2H", 65535, 0)), [0, 255]),
        (tiff(32, 1, struct.pack("<3I", 1, 2**31 + 1, 2**32 - 1), 3), [0, 128, 255]),
        (tiff(8, 0, bytes([255, 0])), [0, 255]),
        (b"P5 2 1 4095\n" + struct.pack(">2H", 4095, 2048), [255, 128]),
        (b"P2 2 1 1000\n1000 500\n", [255, 128]),
        (b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0.5, 1), [128, 255]),
    ],
    ids=["12", "16", "16 big", "16 white 0", "32", "8 white 0", "pgm 12", "pgm text", "pfm"],
)
def test_deep_grey_is_neither_black_nor_white(content: bytes, levels: list[int]) -> None:
    assert read(content)[0, :, 0].tolist() == levels


def test_colours_of_16_bits_and_inverted_cmyk() -> None:
    file = tiff(16, 1, struct.pack("<3H", 65535, 32768, 0), 3)
    assert read(file)[0, :, 0].tolist() == [255, 128, 0]
    photoshop = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    assert b"Adobe" in photoshop
    assert np.abs(read(photoshop)[0, 0].astype(int) - (255, 0, 0)).max() <= 3


def test_what_a_palette_lets_through_is_the_background() -> None:
    head = struct.pack("<BBBHHBHHHHBB", 0, 1, 1, 0, 2, 32, 0, 0, 2, 1, 8, 0x28)
    colours = bytes([10, 20, 30, 0, 40, 50, 60, 255])
    assert read(head + colours + bytes([0, 1])).tolist() == [[[255] * 3, [60, 50, 40]]]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_picture_of_several_counts(kind: str) -> None:
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ((200, 30, 60), (0, 0, 255)))
    file = saved(first, kind, save_all=True, append_images=[second], quality=100)
    assert np.abs(read(file)[0, 0].astype(int) - (200, 30, 60)).max() <= 8


@pytest.mark.parametrize("kind", ["EPS", "ICO"])
def test_other_kinds_are_not_opened_whatever_their_name(kind: str) -> None:
    file = saved(PHOTO.resize((32, 32)), kind)
    for look in (decode, read_header):
        with pytest.raises(Image.UnidentifiedImageError):
            look(BytesIO(file))


WHOLE = {
    kind: saved(PHOTO, kind)
    for kind in readable_formats()
    if kind in Image.SAVE or kind in Image.SAVE_ALL
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(kind=st.sampled_from(sorted(WHOLE)), seed=st.integers(0, 2**32))
def test_damaged_files_are_broken_and_nothing_else(kind: str, seed: int) -> None:
    draw = random.Random(seed)
    content = bytearray(WHOLE[kind])
    for _ in range(draw.choice([1, 3, 16])):
        content[draw.randrange(min(len(content), 200))] = draw.randrange(256)
    if draw.random() < 0.3:
        del content[draw.randrange(len(content)) :]
    for look in (decode, read_header):
        try:
            look(BytesIO(bytes(content)))
        except BROKEN as error:
            assert is_of_the_file(error), error  # noqa: PT017 - most are raised, and none need be


def test_a_damaged_avif_is_broken() -> None:
    pixels = WHOLE["AVIF"].index(b"mdat") + 4
    content = WHOLE["AVIF"][:pixels] + b"\xff" * 8 + WHOLE["AVIF"][pixels + 8 :]
    with pytest.raises(BROKEN, match="Failed to decode"):
        decode(BytesIO(content))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("Failed to decode frame 0: Out of memory"),
        OSError("out of memory error when reading image file"),
        OSError(errno.EIO, "Input/output error"),
    ],
)
def test_a_fault_of_the_machine_is_none_of_file_or_architecture(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    (tmp_path / "a.png").write_bytes(WHOLE["PNG"])
    monkeypatch.setattr(Image, "open", fails)
    for look in (
        lambda: picture.read_picture(tmp_path / "a.png", "white"),
        lambda: inspect_files(tmp_path, ["a.png"], "full"),
    ):
        with pytest.raises(OSError, match=r"a\.png") as raised:
            look()
        number = getattr(error, "errno", None) or errno.ENOMEM
        said = f"[Errno {number}] {os.strerror(number)}: '{tmp_path / 'a.png'}'"
        assert str(raised.value) == said
        found = classify(raised.value)
        assert (found.cause, found.state) == (Cause.SURROUNDINGS, "preempted")


MACHINE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT)


@pytest.mark.parametrize(
    ("error", "said", "of_the_file"),
    [
        *((OSError(number, "x"), "x", False) for number in MACHINE),
        (OSError(errno.ENOENT, "No such file: out of memory"), "No such file: out of memory", True),
        (OSError("broken\nand more"), "broken", True),
        (OSError("Out of Memory"), "Out of Memory", False),
        (RuntimeError("can't start new thread"), "can't start new thread", False),
        (MemoryError("x"), "x", False),
        (ValueError("bad\x07"), r"bad\x07", True),
        (EOFError(), "EOFError", True),
        (IndexError("\nbelow"), "IndexError", True),
        (Image.UnidentifiedImageError("at <0x7f>"), "no kind of picture that is known here", True),
    ],
    ids=repr,
)
def test_what_is_wrong_is_one_line_and_of_the_file_or_of_the_machine(
    error: Exception, said: str, of_the_file: bool
) -> None:
    assert picture.why(error) == said
    assert is_of_the_file(error) == of_the_file


def test_an_unreadable_picture_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "page.png"
    page.write_bytes(b"<html>")
    for path, wrong in (
        (page, "no kind of picture that is known here"),
        (tmp_path / "gone.png", "No such file or directory"),
    ):
        with pytest.raises(UnreadableData) as error:
            picture.read_picture(path, "white")
        assert str(error.value) == f"{path} is not a readable image ({wrong})"


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA", "La"])
@pytest.mark.parametrize("background", ["white", "black", "grey"])
def test_what_shows_through_is_mixed_with_the_background(mode: str, background: str) -> None:
    plain = PHOTO.convert("LA" if mode.startswith("L") else "RGBA")
    plain.putalpha(Image.linear_gradient("L").resize(plain.size))
    levels = np.asarray(plain.convert("RGBA")).astype(float)
    colours, shares = levels[..., :3], levels[..., 3:] / 255
    expected = shares * colours + (1 - shares) * picture.BACKGROUNDS[background]
    found = np.asarray(picture.as_shown(plain.convert(mode), background))
    # In premultiplied colours little is left of what is nearly transparent.
    assert np.abs(found - expected).max() <= (2 if mode.endswith("a") else 1)


@pytest.mark.parametrize("notes", [b"rubbish!", b"II*\0"])
def test_a_picture_with_damaged_notes_is_shown_as_it_lies(notes: bytes) -> None:
    assert (read(saved(PHOTO, "PNG", exif=b"Exif\0\0" + notes)) == np.asarray(PHOTO)).all()


def test_a_kind_counts_where_its_decoder_is_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {*picture.suffixes()}
    asked = dict.fromkeys(["avif", "webp", "jpg", "jpg_2000", "zlib"], True)
    monkeypatch.setattr(picture.features, "check", lambda name: asked[name])
    every = picture.readable_formats.__wrapped__()
    assert set(every) == picture._FORMATS
    assert {".png", ".jpg", ".jpeg", ".tif", ".webp"} < {*picture.suffixes.__wrapped__()}
    assert not {".eps", ".ico", ".pdf", ".mpg"} & {*picture.suffixes.__wrapped__()}
    with monkeypatch.context() as patch:
        patch.delitem(Image.OPEN, "QOI")
        assert {*every} - {*picture.readable_formats.__wrapped__()} == {"QOI"}
    asked |= dict.fromkeys(asked, False)
    lost = {"AVIF", "JPEG", "JPEG2000", "PNG", "WEBP"}
    assert picture.readable_formats.__wrapped__() == tuple(sorted({*every} - lost))
    left = picture.suffixes.__wrapped__()
    assert list(left) == sorted(left)
    assert {".bmp", ".tif"} < {*left} < known - {".png", ".jpg", ".avif"}
    assert picture.listed_suffixes() == " ".join(sorted(known))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "F", "I;16"])
def test_large_pictures_are_brought_to_colours_part_by_part(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = np.arange(77, dtype=np.uint16).reshape(7, 11) * 800
    plain = Image.fromarray(grey) if mode == "I;16" else PHOTO.convert("LA").convert(mode)
    if mode == "PA":
        plain = PHOTO.convert("P").convert("PA")
    at_once = np.asarray(picture.as_shown(plain))
    monkeypatch.setattr(picture, "_BAND", 30)
    monkeypatch.setattr(deep_grey, "_PART", 30)
    assert np.array_equal(np.asarray(picture.as_shown(plain)), at_once)


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1), (2, 900)])
def test_pictures_of_one_pixel_in_width_are_trained_and_tested(size: tuple[int, int]) -> None:
    chosen = Protocol.paper_imagenet().augmentation.model_copy(update={"image_size": 32})
    for transform in (train_transform(chosen), evaluation(chosen)):
        assert transform(Image.new("RGB", size, "white")).shape == (3, 32, 32)
