"""Draws the connectivity of the paper's operators, computed: python -m docs.draw_operators.

With --check nothing is written: it exits with 1 where a picture is not what is computed today.
"""

import argparse
import sys
from pathlib import Path

from space.axes import Locality, Rank, Sharing
from space.cli.drawing import DrawnMixer
from space.cli.picture import Line, Picture
from space.geometry import MapSize
from space.mixer import Mixer
from space.mixer_types import PAPER_NAMES, mixer_type_named

FOLDER = Path(__file__).parent / "images" / "operators"
MAP = MapSize(14, 14)
WIDTH = 32
_POSITIONS, _CHANNELS, _COLUMN, _ROW = 84, 96, 250, 148
"""Edges of the masks, whole pixels for each of their cells, and of the grid."""
_COLUMNS = 3


def operator(name: str) -> Mixer:
    """An operator of the paper with the sizes that are drawn."""
    kind = mixer_type_named(name)
    sizes = {
        "kernel_size": None if kind.locality is Locality.GLOBAL else _kernel(kind.rank),
        "heads": 4 if kind.sharing in (Sharing.CHANNEL, Sharing.BOTH) else None,
        "ratio": 2 if kind.rank is not Rank.FULL else None,
    }
    return Mixer(*kind.values, **{name: size for name, size in sizes.items() if size})


def _kernel(rank: Rank) -> int:
    """That of the paper's networks; a smaller one on a map that is reduced first."""
    return 3 if rank is Rank.SPATIAL else 7


def drawn(mixer: Mixer, shifted: bool = False) -> DrawnMixer:
    """The mixer on the map that is drawn."""
    return DrawnMixer(mixer, WIDTH, MAP, shifted)


def masks(names: dict[str, DrawnMixer]) -> Picture:
    """Name, positions and channels of each, in a grid."""
    picture = Picture()
    for number, (name, each) in enumerate(names.items()):
        left = 16 + number % _COLUMNS * _COLUMN
        top = 16 + number // _COLUMNS * _ROW
        picture.lines.append(Line(left, top, name, 14))
        picture.add_mask(each.positions(), left, top + 24, _POSITIONS)
        picture.add_mask(each.channels(), left + _POSITIONS + 16, top + 24, _CHANNELS)
    return picture


def pictures() -> dict[str, str]:
    """Every picture as SVG, by its file."""
    return {"twelve.svg": masks({name: drawn(operator(name)) for name in PAPER_NAMES}).svg()}


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures, or compare them."""
    parser = argparse.ArgumentParser(description="Draw the operators as docs/operators.md shows.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    given = parser.parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, svg in pictures().items():
        file = FOLDER / name
        if not file.is_file() or file.read_text(encoding="utf-8") != svg:
            stale.append(name)
            if not given.check:
                file.write_text(svg, encoding="utf-8")
    print(f"{len(stale)} of {len(pictures())} pictures were not as computed")
    return int(given.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
