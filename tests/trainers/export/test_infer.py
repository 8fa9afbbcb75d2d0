"""A picture becomes the same input in infer.py, in a loaded network and in the training."""

import json
import struct
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from space import InputError
from tests.trainers.export.samples import NO_PROGRAMS, trained, used
from tests.trainers.test_odd_pictures import tiff
from tests.trainers.tiny import architecture, image_folder, short_protocol
from trainers import Protocol, open_data
from trainers.data.augmentation import test_transform as evaluation
from trainers.data.describe import IMAGENET_MEAN, IMAGENET_STD
from trainers.data.image_folder import decoding
from trainers.export import Preprocessing, export_network, infer_file

BACKGROUNDS = sorted(decoding.BACKGROUNDS)


def folder_protocol(**augmentation: Any) -> Protocol:
    return Protocol.from_dict({"data": "image-folder", "augmentation": augmentation})


def how(protocol: Protocol, channels: int = 3) -> dict[str, Any]:
    size = protocol.augmentation.image_size if protocol.data == "image-folder" else 28
    scale = ((0.286,), (0.353,)) if channels == 1 else (IMAGENET_MEAN, IMAGENET_STD)
    return Preprocessing.of(architecture(channels, size), protocol, *scale).to_dict()


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth, with noise on it, so that no interpolation is like another."""
    draw = np.random.default_rng(seed)
    down, right = np.mgrid[0:height, 0:width] / max(width, height)
    waves = np.stack([np.sin(9 * down + 2), np.cos(7 * right), np.sin(5 * (down + right))], -1)
    pixels = 120 + 90 * waves + draw.integers(-30, 30, (height, width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def test_real_pictures_give_the_logits_of_the_validation(tmp_path: Path) -> None:
    """Of the whole way: files, the loader of the search, a network."""
    folder = image_folder(tmp_path / "pictures", train=10, val=2, size=90)
    for path in sorted(folder.rglob("*.png"))[::3]:
        with Image.open(path) as picture:
            picture.convert("RGB").save(path.with_suffix(".jpg"), quality=90)
        path.unlink()
    protocol = Protocol.from_dict(
        {
            "data": "image-folder",
            "validation_fraction": 0.4,
            "augmentation": {"image_size": 32, "test_crop": 0.8, "interpolation": "random"},
        }
    )
    data = open_data({"name": "image-folder", "folder": str(folder)}, protocol)
    network = used(architecture(3, 32, 3))
    plain = how(protocol)
    with torch.no_grad():
        wanted = torch.cat([network(images) for images, _ in data.validation_batches()])
        index, positions = data._index, data._split.validation  # type: ignore[attr-defined]
        assert len(wanted) == len(positions) > 10
        files = [folder / "train" / index.files[place] for place in positions]
        inputs = [infer_file.to_input(infer_file.read_picture(file), plain) for file in files]
        found = network(torch.stack(inputs))
    assert {file.suffix for file in files} == {".png", ".jpg"}
    assert (found - wanted).abs().max() <= 1e-4
    assert wanted.std() > 0.1


def test_images_in_memory_give_the_logits_of_the_validation(tmp_path: Path) -> None:
    """Of Fashion-MNIST, each written as a picture."""
    protocol = short_protocol()
    data = open_data({"limit_train": 100, "limit_validation": 40}, protocol)
    network, plain = used(architecture()), how(protocol, 1)
    source = data._validation.images  # type: ignore[attr-defined]
    inputs = []
    for number, pixels in enumerate(source):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        shown = infer_file.read_picture(tmp_path / f"{number}.png")
        inputs.append(infer_file.to_input(shown, plain))
    with torch.no_grad():
        ((images, _),) = data.validation_batches()
        assert (torch.stack(inputs) - images).abs().max() <= 1e-5
        assert (network(torch.stack(inputs)) - network(images)).abs().max() <= 1e-4


def test_pictures_of_any_size_fit_networks_of_small_images() -> None:
    plain = how(short_protocol(), 1)
    for size in ((28, 28), (300, 200), (5, 90), (1, 1)):
        assert infer_file.to_input(photo(*size), plain).shape == (1, 28, 28)


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    size=st.integers(8, 80),
    crop=st.sampled_from([0.5, 0.7, 0.875, 0.9, 0.95, 1.0]),
    interpolation=st.sampled_from(["bicubic", "bilinear", "random"]),
)
def test_sizes_crops_and_interpolations_are_those_of_timm(
    width: int, height: int, size: int, crop: float, interpolation: str
) -> None:
    protocol = folder_protocol(image_size=size, test_crop=crop, interpolation=interpolation)
    picture = photo(width, height)
    wanted = evaluation(protocol.augmentation)(picture)
    found = infer_file.to_input(picture, how(protocol))
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 1e-5


def test_a_very_long_picture_is_cut_first() -> None:
    protocol = folder_protocol(image_size=16)
    for size in ((3000, 4), (4, 3000)):
        wanted = evaluation(protocol.augmentation)(photo(*size))
        assert (infer_file.to_input(photo(*size), how(protocol)) - wanted).abs().max() <= 1e-5


# --- reading files --------------------------------------------------------------------------------


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(photo(40, 30), "JPEG", exif=exif, quality=95)


def see_through() -> list[bytes]:
    solid = photo(20, 16)
    alpha = solid.copy()
    alpha.putalpha(Image.linear_gradient("L").resize((20, 16)))
    palette = solid.quantize(8)
    grey = Image.merge("LA", [solid.convert("L"), alpha.getchannel("A")])
    return [
        saved(alpha, "PNG"),
        saved(alpha, "WEBP", lossless=True),
        saved(palette, "GIF", transparency=2),
        saved(palette, "PNG", transparency=3),
        saved(grey, "PNG"),
        saved(solid.convert("L"), "PNG", transparency=100),
        saved(solid, "PNG", transparency=solid.getpixel((0, 0))),
    ]


RAMP = np.arange(0, 65536, 91, dtype=np.uint16)[:720].reshape(60, 12)
DEEP = [
    saved(Image.fromarray(RAMP), "PNG"),
    saved(Image.fromarray(RAMP), "TIFF"),
    saved(Image.fromarray(RAMP.astype(np.int32) * 30_000 - 7), "TIFF"),
    saved(Image.fromarray(RAMP.astype(np.float32) / 65536), "TIFF"),
    saved(Image.fromarray(RAMP.astype(np.float32) - 500), "TIFF"),
    saved(Image.fromarray(np.full((3, 4), 7, np.float32)), "TIFF"),
    tiff(12, 1, bytes([0xFF, 0xF8, 0x00])),
    tiff(16, 1, struct.pack(">2H", 65535, 32768), order=">"),
    tiff(16, 0, struct.pack("<2H", 65535, 0)),
    tiff(32, 1, struct.pack("<3I", 1, 2**31 + 1, 2**32 - 1), 3),
    b"P5 2 1 4095\n" + struct.pack(">2H", 4095, 2048),
    b"P2 2 1 1000\n1000 500\n",
    b"Pf\n2 1\n-1.0\n" + struct.pack("<2f", 0.5, 1),
]
OTHERS = [
    saved(photo(20, 16).convert("CMYK"), "JPEG"),
    saved(photo(20, 16).convert("1"), "PNG"),
    saved(photo(20, 16), "BMP"),
    saved(photo(20, 16), "GIF", save_all=True, append_images=[photo(20, 16, 1)]),
]


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize(
    "content", [*map(turned, range(1, 9)), *see_through(), *DEEP, *OTHERS], ids=lambda each: ""
)
def test_files_are_read_as_the_training_reads_them(
    content: bytes, background: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture"
    path.write_bytes(content)
    found = infer_file.read_picture(path, background)
    wanted = decoding.read_picture(path, background)
    assert found.mode == "RGB"
    assert np.array_equal(np.asarray(found), np.asarray(wanted))


def test_it_knows_the_same_kinds_and_backgrounds() -> None:
    assert set(infer_file.KINDS) == decoding._FORMATS
    assert infer_file.BACKGROUNDS == decoding.BACKGROUNDS
    assert infer_file.UPRIGHT == decoding._UPRIGHT


def test_an_upright_picture_is_turned_once() -> None:
    """Its notes stay with a picture that Pillow has converted."""
    with Image.open(BytesIO(turned(6))) as picture:
        plain = how(folder_protocol(image_size=16))
        twice = infer_file.to_input(infer_file.as_shown(picture), plain)
        once = evaluation(folder_protocol(image_size=16).augmentation)(decoding.as_shown(picture))
    assert (twice - once).abs().max() <= 1e-5


def test_floats_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.tiff"
    path.write_bytes(saved(Image.fromarray(np.array([[0, np.nan]], np.float32)), "TIFF"))
    with pytest.raises(ValueError, match="some of its pixels are no numbers, or infinite"):
        infer_file.read_picture(path)


# --- the command ----------------------------------------------------------------------------------


def test_what_is_no_picture_ends_the_command_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infer_file, "load_preprocessing", lambda: how(short_protocol(), 1))
    monkeypatch.setattr(infer_file, "load_classes", lambda: list("abcdefghij"))
    monkeypatch.setattr(infer_file, "load_network", lambda: used(architecture()))
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "program.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    for name in ("absent.png", "text.jpg", "program.png"):
        assert infer_file.main([str(tmp_path / name)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith(f"error: {tmp_path / name}: ")
    photo(30, 20).save(tmp_path / "a.png")
    photo(20, 30).save(tmp_path / "b.png")
    assert infer_file.main(["--top", "2", str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith(".png")] == [
        str(tmp_path / "a.png"),
        str(tmp_path / "b.png"),
    ]
    assert len(lines) == 6
    one_is_none = [str(tmp_path / name) for name in ("text.jpg", "a.png")]
    assert infer_file.main(["--top", "2", *one_is_none]) == 2
    shown = capsys.readouterr()
    assert shown.out.splitlines() == lines[:3]
    assert shown.err.startswith(f"error: {tmp_path / 'text.jpg'}: ")
    assert all(line.endswith(tuple("abcdefghij")) and "%" in line for line in lines[1:3])
    with pytest.raises(SystemExit):
        infer_file.main(["--top", "0", "a.png"])


def test_the_files_beside_it_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = trained(tmp_path)
    folder = export_network(given, tmp_path / "to", without=NO_PROGRAMS).folder
    network = infer_file.load_network(folder)
    assert not network.training
    images = torch.randn(3, 1, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(network(images), used(architecture())(images))
    assert infer_file.load_classes(folder) == [*given.classes]
    plain = infer_file.load_preprocessing(folder)
    assert Preprocessing.from_dict(plain, "") == given.preprocessing
    for name in ("load_network", "load_classes", "load_preprocessing"):
        monkeypatch.setattr(infer_file, name, partial(getattr(infer_file, name), folder))
    photo(30, 20).save(tmp_path / "ä.png")
    assert infer_file.main(["--json", "--top", "3", str(tmp_path / "ä.png")]) == 0
    shown = capsys.readouterr().out
    (found,) = json.loads(shown)
    assert shown == json.dumps([found], indent=2) + "\n"
    assert found["picture"] == str(tmp_path / "ä.png")
    assert infer_file.main(["--top", "2", str(tmp_path / "ä.png")]) == 0
    assert capsys.readouterr().out == "".join(
        f"{each['probability']:8.2%}  {each['class']}\n" for each in found["classes"][:2]
    )
    picture = infer_file.read_picture(tmp_path / "ä.png")
    with torch.no_grad():
        logits = network(infer_file.to_input(picture, plain)[None])
    shares, places = logits.softmax(1)[0].topk(3)
    assert [each["class"] for each in found["classes"]] == [given.classes[i] for i in places]
    assert [each["probability"] for each in found["classes"]] == pytest.approx(shares.tolist())
    assert infer_file.main(["--json", "--top", "1", str(tmp_path / "no.png")]) == 2
    shown = capsys.readouterr()
    assert shown.out == "[]\n"
    assert shown.err.startswith(f"error: {tmp_path}/no.png: ")


def test_damaged_notes_leave_a_picture_as_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo(3, 2)

    def broken() -> Any:
        raise struct.error("too short")

    monkeypatch.setattr(picture, "getexif", broken)
    assert infer_file.orientation(picture) == 1
    assert infer_file.as_shown(picture).size == (3, 2)


def test_the_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        infer_file.arguments_of(["--help"])
    assert ended.value.code == 0
    words = " ".join(capsys.readouterr().out.split())
    for each in ("Say what is on pictures.", "print JSON, for programs", "how many classes"):
        assert each in words
    with pytest.raises(SystemExit):
        infer_file.arguments_of(["--top", "0", "a.png"])
    assert "error: --top must be at least 1; got 0" in capsys.readouterr().err
    plain = infer_file.arguments_of(["a.png"])
    assert (plain.top, plain.json, plain.pictures) == (5, False, ["a.png"])


def test_floats_within_one_count_from_black_to_white() -> None:
    def ends(*values: float) -> tuple[float, float]:
        return infer_file.ends_of(torch.tensor(values))

    assert ends(0.25, 0.5) == ends(0.0, 1.0) == (0.0, 1.0)
    assert ends(0.5, 1.5) == (0.5, 1.5)
    assert ends(-0.5, 0.5) == (-0.5, 0.5)
    assert ends(0.0, 0.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("mode", "kind", "tags", "white"),
    [
        ("I", "PNG", {}, 65535),
        ("I", "PPM", {}, 65535),
        ("I", "TIFF", {}, None),
        ("F", "PNG", {}, None),
        ("I;16", "TIFF", {}, 65535),
        ("I;16B", "TIFF", {258: (12,)}, 4095),
    ],
)
def test_what_is_white_by_what_a_file_states(
    mode: str, kind: str, tags: dict[int, Any], white: int | None
) -> None:
    picture: Any = SimpleNamespace(mode=mode, format=kind)
    assert infer_file.white_of(picture, tags) == white


@pytest.mark.parametrize("order", ["little", "big"])
def test_pixels_in_the_order_of_the_machine(order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    picture: Any = SimpleNamespace(mode="I;16N", tobytes=lambda: bytes([1, 2, 3, 4]))
    monkeypatch.setattr(infer_file.sys, "byteorder", order)
    expected = [0x0201, 0x0403] if order == "little" else [0x0102, 0x0304]
    assert infer_file.numbers_of(picture, {}).tolist() == expected
    picture.mode = "I;16B"
    assert infer_file.numbers_of(picture, {}).tolist() == [0x0102, 0x0304]
    picture.mode = "I;16"
    assert infer_file.numbers_of(picture, {}).tolist() == [0x0201, 0x0403]


# --- in plain values ------------------------------------------------------------------------------


def test_the_description_is_read_back_and_damaged_ones_are_refused() -> None:
    given = architecture(3, 32), folder_protocol(image_size=32), IMAGENET_MEAN, IMAGENET_STD
    chosen = Preprocessing.of(*given)
    assert Preprocessing.from_dict(chosen.to_dict(), "x") == chosen
    assert (chosen.resize, chosen.mean) == (36, (0.485, 0.456, 0.406))
    for wrong in ({}, [], {**chosen.to_dict(), "format": "2"}, {"format": "x"}):
        with pytest.raises(InputError, match=r"^preprocessing\.json: "):
            Preprocessing.from_dict(wrong, "preprocessing.json")
    missing = chosen.to_dict()
    del missing["std"]
    with pytest.raises(InputError, match="is damaged"):
        Preprocessing.from_dict(missing, "preprocessing.json")
