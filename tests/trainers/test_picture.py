"""Pictures are read as a viewer shows them."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from trainers import Protocol
from trainers.data.augmentation import _middle
from trainers.data.augmentation import test_transform as evaluation
from trainers.data.image_folder.decoding import decode
from trainers.data.image_folder.deep_grey import in_8_bits

GREY = np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8)


def saved(pixels: object, kind: str, **options: object) -> BytesIO:
    file = BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)  # type: ignore[arg-type]
    image.save(file, kind, **options)  # type: ignore[arg-type]
    file.seek(0)
    return file


def read(file: BytesIO, background: str = "white") -> np.ndarray:
    return np.asarray(decode(file, background))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_grey_of_16_bits_is_that_of_8(kind: str) -> None:
    assert (read(saved(GREY.astype(np.uint16) * 257, kind)) == GREY[..., None]).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_every_grey_of_16_bits_is_the_nearest_of_8(kind: str) -> None:
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    file = saved(values, kind)
    assert (read(file)[..., 0] == (values.astype(int) + 128) // 257).all()
    file.seek(0)
    with Image.open(file) as picture:
        assert in_8_bits(picture).mode == "L"


def test_other_grey_is_spread_from_black_to_white() -> None:
    as_float = read(saved(GREY.astype(np.float32) / 255, "TIFF"))
    assert (as_float == GREY[..., None]).all()
    for values in (GREY.astype(np.int32) * 70_000, GREY.astype(np.float32) * 9 - 500):
        found = read(saved(values, "TIFF"))
        expected = np.rint(GREY / GREY.max() * 255)
        assert np.abs(found - expected[..., None]).max() <= 1


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ([0.0, 0.2, 0.5], [0, 51, 128]),  # within 0 to 1
        ([0.5, 0.5, 1.0], [128, 128, 255]),
        ([0.0, 1.0, 1.5], [0, 170, 255]),
        ([-0.5, 0.0, 0.5], [0, 128, 255]),
        ([0.0, 0.0, 0.0], [128, 128, 128]),  # of one level only, whatever it is
        ([5.0, 5.0, 5.0], [128, 128, 128]),
        ([-1.0, -1.0, -1.0], [128, 128, 128]),
    ],
)
def test_floats_keep_their_levels_within_0_to_1(values: list[float], levels: list[int]) -> None:
    found = read(saved(np.array([values], np.float32), "TIFF"))
    assert found.tolist() == [[[level] * 3 for level in levels]]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_float_that_is_no_number_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match=r"^some of its pixels are no numbers, or infinite$"):
        read(saved(np.array([[0, odd]], np.float32), "TIFF"))


TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@given(
    turn=st.sampled_from(sorted(TURNS)),
    kind=st.sampled_from(["PNG", "TIFF", "WEBP"]),
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA"]),
    background=st.sampled_from(["white", "black"]),
)
def test_every_turn_and_kind(turn: int, kind: str, mode: str, background: str) -> None:
    generator = np.random.default_rng(turn)
    rgba = generator.integers(0, 256, (5, 7, 4), np.uint8)
    rgba[..., 3] = 255 * (rgba[..., 3] > 100)
    image = Image.fromarray(rgba).convert(mode)
    tag = Image.Exif()
    tag[0x0112] = turn
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = read(saved(image, kind, exif=tag, **options), background)
    shown = np.asarray(image.convert("RGBA"))
    behind = 255 if background == "white" else 0
    flat = np.where(shown[..., 3:] == 255, shown[..., :3], behind)
    assert np.array_equal(found, TURNS[turn](flat))


def test_palettes_with_transparency_and_cmyk() -> None:
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    assert read(saved(image, "PNG", transparency=0)).tolist() == [[[255] * 3, [40, 50, 60]]]
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(read(saved(cmyk, "JPEG")).astype(int) - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize("size", [(64, 48), (48, 300), (380, 48)])
def test_ordinary_pictures_are_cropped_as_timm_does(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size)
    assert _middle(image) is image


def test_an_endless_picture_is_cut_to_its_middle_before_it_is_resized() -> None:
    wide = np.zeros((4, 100_000, 3), np.uint8)
    wide[:, 49_000:51_000] = 255
    image = Image.fromarray(wide)
    assert _middle(image).size == (32, 4)
    chosen = Protocol.from_dict({"data": "image-folder"}).augmentation
    assert evaluation(chosen)(image).min() > 2
