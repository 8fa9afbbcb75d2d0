"""Cutting a map into tiles and putting it together (mirrors `space.operators.tiles`).

Maps come with the channels of a position side by side (channels last), as the layer norm of the
stem leaves them; that order decides where reshaping copies.
"""

from space.cost.activations.plan import Tiles
from space.cost.activations.tape import Tape, Tensor


def split(t: Tape, x: Tensor, width: int, tiles: Tiles) -> Tensor:
    """(B, width, H, W) to (B·T, width, P), zeros outside the map."""
    size = t.map(width, tiles.count * tiles.positions)
    y = t.run(size, x) if tiles.padded else t.view(x)
    if tiles.rolled:
        y = _replaced(t, y)
    # One column of tiles leaves the order as it is.
    return _replaced(t, y) if tiles.across > 1 else y


def join(t: Tape, x: Tensor, width: int, tiles: Tiles, positions: int) -> Tensor:
    """(B·T, width, P) to the (B, width, positions) that lie on the map: a view of all tiles."""
    y = t.copy_if(tiles.count > 1, x)
    if tiles.rolled:
        y = _replaced(t, y)
    cropped = t.view(y, t.map(width, positions))
    t.free(y)
    return cropped


def _replaced(t: Tape, x: Tensor) -> Tensor:
    y = t.copy(x)
    t.free(x)
    return y


def mask(t: Tape, tiles: Tiles, taps: int) -> int:
    """Bytes of the booleans that keep apart what shares a tile, for the batch; 0 for none."""
    needed = tiles.padded or tiles.rolled
    return t.batch * tiles.count * tiles.positions * taps if needed else 0
