"""A network or a mixer as a picture: rectangles and lines of text, written as SVG or as PNG."""

import io
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from space.architecture import Architecture
from space.cli.drawing import DrawnMixer, channels_text, drawn_stages, edges_text, headline
from space.errors import InputError
from space.input.paths import is_folder
from space.structure.connectivity import BoolArray
from space.wording import count

INK, PALE, PAPER, EDGE = "#1f3b57", "#e4e9ee", "#ffffff", "#aab4be"
SCALE = 2
"""Pixels of a PNG for one unit of length."""
SUFFIXES = (".svg", ".png")
_MASK = 112
"""Edge of a mask."""
_LEFT = 24


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle."""

    left: float
    top: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; `top` is the upper edge of its letters."""

    left: float
    top: float
    text: str
    size: int = 12
    colour: str = INK


@dataclass
class Picture:
    """Shapes in the order in which they are drawn; the size grows with them."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Right edge of everything, with a margin."""
        boxes = [box.left + box.width for box in self.boxes]
        lines = [line.left + 0.56 * line.size * len(line.text) for line in self.lines]
        return int(max([*boxes, *lines, 1])) + 16

    @property
    def height(self) -> int:
        """Lower edge of everything, with a margin."""
        boxes = [box.top + box.height for box in self.boxes]
        return int(max([*boxes, *(line.top + 1.3 * line.size for line in self.lines), 1])) + 16

    def add_mask(self, mask: BoolArray, left: float, top: float, edge: float) -> None:
        """Draw a mask into a square; a box for each run of cells in a row."""
        rows, columns = mask.shape
        cell = edge / max(rows, columns)
        self.boxes.append(Box(left - 1, top - 1, columns * cell + 2, rows * cell + 2, EDGE))
        self.boxes.append(Box(left, top, columns * cell, rows * cell, PALE))
        for row, values in enumerate(mask):
            changes = np.flatnonzero(np.diff(np.concatenate([[False], values, [False]])))
            for start, stop in changes.reshape(-1, 2).tolist():
                place = (left + start * cell, top + row * cell)
                self.boxes.append(Box(*place, (stop - start) * cell, cell, INK))

    def svg(self) -> str:
        """The picture as SVG."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
            f'height="{self.height}" viewBox="0 0 {self.width} {self.height}" '
            'font-family="Helvetica, Arial, sans-serif">'
        )
        parts = [head, f'<rect width="100%" height="100%" fill="{PAPER}"/>']
        parts += [
            f'<rect x="{b.left:.2f}" y="{b.top:.2f}" width="{b.width:.2f}" '
            f'height="{b.height:.2f}" fill="{b.fill}"/>'
            for b in self.boxes
        ]
        parts += [
            f'<text x="{t.left:.2f}" y="{t.top + 0.8 * t.size:.2f}" font-size="{t.size}" '
            f'fill="{t.colour}">{escape(t.text)}</text>'
            for t in self.lines
        ]
        return "\n".join([*parts, "</svg>\n"])

    def png(self) -> bytes:
        """The picture as PNG."""
        from PIL import Image, ImageDraw, ImageFont

        image = Image.new("RGB", (self.width * SCALE, self.height * SCALE), PAPER)
        draw = ImageDraw.Draw(image)
        for box in self.boxes:
            corner = (round(box.left * SCALE), round(box.top * SCALE))
            far = ((box.left + box.width) * SCALE, (box.top + box.height) * SCALE)
            opposite = (max(corner[0], round(far[0]) - 1), max(corner[1], round(far[1]) - 1))
            draw.rectangle((corner, opposite), fill=box.fill)
        for line in self.lines:
            font = ImageFont.load_default(line.size * SCALE)
            place = (line.left * SCALE, line.top * SCALE)
            # Pillow's own font has no ×.
            draw.text(place, line.text.replace("×", "x"), fill=line.colour, font=font)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()


def network_picture(name: str, architecture: Architecture) -> Picture:
    """A network as a picture: a row for each stage, a pair of masks for each of its mixers."""
    picture = Picture()
    _add_line(picture, headline(name, architecture), 20, 16)
    top = 56.0
    for stage in drawn_stages(architecture):
        _add_line(picture, stage.line, top, 14)
        top += 26
        for drawn in stage.mixers:
            _add_mixer(picture, drawn, top)
            top += _MASK + 44
        top += 12
    return picture


def mixer_picture(drawn: DrawnMixer) -> Picture:
    """A single mixer as a picture."""
    picture = Picture()
    _add_mixer(picture, drawn, 20)
    return picture


def _add_mixer(picture: Picture, drawn: DrawnMixer, top: float) -> None:
    positions, channels = drawn.positions(), drawn.channels()
    left = _LEFT + 2 * (_MASK + 24)
    picture.add_mask(positions, _LEFT, top, _MASK)
    picture.add_mask(channels, _LEFT + _MASK + 24, top, _MASK)
    texts = (
        drawn.mixer.label,
        f"{count(drawn.blocks, 'block')}, {drawn.words()}",
        f"left: read by the middle, of {edges_text(positions)} positions",
        f"right: channels that each channel reads, {channels_text(channels, drawn.width)}",
    )
    for number, text in enumerate(texts):
        _add_line(picture, text, top + 8 + 22 * number, 13 if number == 0 else 12, left)


def _add_line(picture: Picture, text: str, top: float, size: int, left: float = _LEFT) -> None:
    picture.lines.append(Line(left, top, text, size))


def refuse_bad_file(path: Path) -> None:
    """Refuses a file that no picture can be written to, before any work.

    Raises:
        InputError: for another suffix or a folder that is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError.of("--out", f"{str(path)!r} ends in neither {' nor '.join(SUFFIXES)}")
    if not is_folder(path.parent):
        raise InputError.of("--out", f"there is no folder {str(path.parent)!r}")


def write(picture: Picture, path: Path) -> None:
    """Write a picture in the format that the suffix asks for.

    Raises:
        InputError: if the file cannot be written.
    """
    svg = path.suffix.lower() == ".svg"
    content = picture.svg().encode() if svg else picture.png()
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError.of("--out", f"{path} cannot be written: {error.strerror}") from None
