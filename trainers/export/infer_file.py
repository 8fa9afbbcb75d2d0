"""Classifies pictures by the network in the folder of this file.

    python infer.py picture.jpg
    python infer.py --top 3 --json first.png second.png

Needs torch, safetensors and Pillow, and the files network.py, model.safetensors,
preprocessing.json and classes.txt beside it. A picture is read as a viewer shows it, and then
resized, cropped and normalised as the validation pictures of the training were.
"""

import argparse
import importlib.util
import json
import math
import struct
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

FOLDER = Path(__file__).resolve().parent
DONE, BAD_INPUT = 0, 2

# --- the network ----------------------------------------------------------------------------------


def load_network(folder: Path = FOLDER) -> nn.Module:
    """The trained network, in evaluation mode: (B, channels, height, width) to (B, classes)."""
    from safetensors.torch import load_file

    spec = importlib.util.spec_from_file_location("network", folder / "network.py")
    if spec is None or spec.loader is None:
        raise OSError(f"{folder / 'network.py'} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: nn.Module = module.build()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    return network.eval()


def load_classes(folder: Path = FOLDER) -> list[str]:
    """The names of the classes, in the order of the logits."""
    return (folder / "classes.txt").read_text(encoding="utf-8").split("\n")[:-1]


def load_preprocessing(folder: Path = FOLDER) -> dict[str, Any]:
    """How a picture becomes an input; see `to_input`."""
    values: dict[str, Any] = json.loads((folder / "preprocessing.json").read_text("utf-8"))
    return values


# --- from a file to pixels ------------------------------------------------------------------------

BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
KINDS = (
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PCX"),
    *("PNG", "PPM", "QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
"""Kinds of file that are one picture of pixels; no documents, films or programs."""
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError),
    *(RuntimeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow and the decoders below it raise of damaged files."""

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(file: Path | str, background: str = "white") -> Image.Image:
    """A file as an RGB picture: upright, on a background, in eight bits; the first of several."""
    Image.init()
    with Image.open(file, formats=[kind for kind in KINDS if kind in Image.OPEN]) as picture:
        picture.load()
        return as_shown(picture, background)


def as_shown(picture: Image.Image, background: str = "white") -> Image.Image:
    """A picture of any kind of pixels as RGB: upright, on a background, in eight bits."""
    if is_deep_grey(picture):
        shown = in_8_bits(picture).convert("RGB")
    elif picture.has_transparency_data:
        # Pillow goes from "La" to "LA" only, and from there on to all others.
        seen_through = picture.convert("LA") if picture.mode == "La" else picture
        under = Image.new("RGBA", picture.size, (*BACKGROUNDS[background], 255))
        shown = Image.alpha_composite(under, seen_through.convert("RGBA")).convert("RGB")
    else:
        shown = picture.convert("RGB")
    turn = UPRIGHT.get(orientation(picture))
    return shown if turn is None else shown.transpose(turn)


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where the notes of the picture are damaged."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except BROKEN:  # viewers show it as it lies
        return 1


# --- grey of more than eight bits -----------------------------------------------------------------

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
WHITE_IS_ZERO, UNSIGNED = 0, 1
PART = 1 << 20


def is_deep_grey(picture: Image.Image) -> bool:
    """Whether its pixels are single numbers that eight bits do not hold."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def in_8_bits(picture: Image.Image) -> Image.Image:
    """Deep grey as grey of eight bits: scaled by the range that the file states.

    Where it states none, from the darkest value of the picture to the lightest.
    """
    tags: Mapping[int, Any] = getattr(picture, "tag_v2", {})
    values, white = numbers_of(picture, tags), white_of(picture, tags)
    low, high = (0.0, 0.0) if white is not None else ends_of(values)
    levels = bytearray()
    for part in values.split(PART):
        if white is not None:
            scaled = (part.long() * 255 + white // 2).div(white, rounding_mode="floor")
        elif low == high:
            scaled = torch.full_like(part, 128, dtype=torch.int64)
        else:
            scaled = ((part.double() - low) / (high - low) * 255).round().long()
        scaled = scaled.clamp(max=255)
        levels += bytes((255 - scaled if turned(tags) else scaled).tolist())
    return Image.frombytes("L", picture.size, bytes(levels))


def numbers_of(picture: Image.Image, tags: Mapping[int, Any]) -> Tensor:
    """The pixels in a row, as whole numbers or floats."""
    content = bytearray(picture.tobytes())
    if picture.mode == "F":
        return torch.frombuffer(content, dtype=torch.float32)
    if picture.mode == "I":
        whole = torch.frombuffer(content, dtype=torch.int32).long()
        is_unsigned = first(tags, BITS) == 32 and first(tags, SAMPLE_FORMAT) in (None, UNSIGNED)
        return whole & 0xFFFFFFFF if is_unsigned else whole  # Pillow knows signed ones only
    order = "big" if picture.mode.endswith("B") else "little"
    if picture.mode.endswith("N"):
        order = sys.byteorder
    pairs = torch.frombuffer(content, dtype=torch.uint8).view(-1, 2).long()
    high, low = (0, 1) if order == "big" else (1, 0)
    return pairs[:, high] * 256 + pairs[:, low]


def white_of(picture: Image.Image, tags: Mapping[int, Any]) -> int | None:
    """The value that is white; None where the file does not state it."""
    if picture.mode.startswith("I;16"):
        return 4095 if first(tags, BITS) == 12 else 65535
    return 65535 if picture.mode == "I" and picture.format in ("PNG", "PPM") else None


def ends_of(values: Tensor) -> tuple[float, float]:
    """The values that become black and white; floats within 0 to 1 count from black to white."""
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("some of its pixels are no numbers, or infinite")
    return (0.0, 1.0) if low >= 0 and 0 < high <= 1 else (low, high)


def turned(tags: Mapping[int, Any]) -> bool:
    """Whether a TIFF says that 0 is white."""
    return bool(tags.get(PHOTOMETRIC) == WHITE_IS_ZERO)


def first(tags: Mapping[int, Any], tag: int) -> Any:
    """The first value of a tag."""
    value = tags.get(tag)
    return value[0] if isinstance(value, tuple) and value else value


# --- from pixels to an input ----------------------------------------------------------------------


def to_input(picture: Image.Image, how: Mapping[str, Any]) -> Tensor:
    """A picture as the network takes it: (channels, height, width), float32, normalised.

    Args:
        picture: in RGB, as `as_shown` gives it.
        how: preprocessing.json. `resize` is the shorter edge in pixels, what is longer than
            `longest_share` times its shorter edge is cut before; the middle of `height` × `width`
            pixels is kept; channels count from 0 to 1, less `mean`, over `std`.
    """
    reached = middle(picture, how["longest_share"])
    sized = resized(reached, how["resize"], how["interpolation"])
    cropped = centre(sized, how["height"], how["width"])
    pixels = pixels_of(cropped.convert("L" if how["channels"] == 1 else "RGB"))
    mean, std = (torch.tensor(how[name]).view(-1, 1, 1) for name in ("mean", "std"))
    return (pixels.float() / 255 - mean) / std


def middle(picture: Image.Image, longest_share: int) -> Image.Image:
    """What a centre crop can reach of a very long picture, so that resizing it costs little."""
    longest = longest_share * min(picture.size)
    left, top = ((edge - min(edge, longest)) // 2 for edge in picture.size)
    if not left and not top:
        return picture
    return picture.crop((left, top, picture.width - left, picture.height - top))


def resized(picture: Image.Image, shorter: int, interpolation: str) -> Image.Image:
    """The picture with a shorter edge of so many pixels, its shape kept."""
    least = min(picture.size)
    width, height = (shorter if e == least else int(shorter * e / least) for e in picture.size)
    return picture.resize((width, height), Image.Resampling[interpolation.upper()])


def centre(picture: Image.Image, height: int, width: int) -> Image.Image:
    """The middle of a picture."""
    top, left = round((picture.height - height) / 2), round((picture.width - width) / 2)
    return picture.crop((left, top, left + width, top + height))


def pixels_of(picture: Image.Image) -> Tensor:
    """(channels, height, width) of uint8."""
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return values.view(picture.height, picture.width, -1).permute(2, 0, 1)


# --- the command ----------------------------------------------------------------------------------


@torch.inference_mode()
def classify(
    network: nn.Module, images: Sequence[Tensor], classes: Sequence[str], top: int
) -> list[list[tuple[str, float]]]:
    """For each image the `top` likeliest classes with their probabilities, the likeliest first."""
    likeliest = network(torch.stack(list(images))).softmax(1).topk(min(top, len(classes)))
    rows = zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True)
    return [[(classes[i], p) for p, i in zip(*row, strict=True)] for row in rows]


def arguments_of(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Say what is on pictures.")
    parser.add_argument("pictures", nargs="+", metavar="PICTURE")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="how many classes")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    found = parser.parse_args(words)
    if found.top < 1:
        parser.error(f"--top must be at least 1; got {found.top}")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Classify the pictures of a command line, one after the other; its exit code.

    It is 2 where one of them cannot be read, which is said.
    """
    given = arguments_of(words)
    how, classes, network = load_preprocessing(), load_classes(), load_network()
    found: list[dict[str, Any]] = []
    code = DONE
    for name in given.pictures:
        try:
            image = to_input(read_picture(name, how["background"]), how)
        except BROKEN as error:
            sys.stderr.write(f"error: {name}: {str(error) or type(error).__name__}\n")
            code = BAD_INPUT  # the others are classified all the same
            continue
        (named,) = classify(network, [image], classes, given.top)
        found.append(
            {"picture": name, "classes": [{"class": c, "probability": p} for c, p in named]}
        )
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return code
    for each in found:
        sys.stdout.write(f"{each['picture']}\n" if len(given.pictures) > 1 else "")
        for line in each["classes"]:
            sys.stdout.write(f"{line['probability']:8.2%}  {line['class']}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
