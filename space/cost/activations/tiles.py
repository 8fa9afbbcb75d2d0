"""Cutting a map into tiles and putting it together (mirrors `space.operators.tiles`).

Maps come with the channels of a position side by side (channels last), as the layer norm of the
stem leaves them; that order decides where reshaping copies.
"""

from space.cost.activations.plan import Tiles
from space.cost.activations.tape import Tape, Tensor


def split(t: Tape, x: Tensor, width: int, tiles: Tiles, channels_last: bool) -> Tensor:
    """(B, width, H, W) to (B·T, width, P), zeros outside the map."""
    size = t.map(width, tiles.count * tiles.positions)
    y = t.run(size, x) if tiles.padded else t.view(x)
    if tiles.rolled:
        y = _replaced(t, y)
    return _replaced(t, y) if width > 1 and _moves(t, tiles, channels_last) else y


def _moves(t: Tape, tiles: Tiles, channels_last: bool) -> bool:
    """Whether cutting a map of several channels changes the order of its elements.

    One column of tiles leaves a map with channels last as it is, but rolling puts channels first:
    then the tiles of an image lie within each channel, and only those of one image are a view.
    """
    if tiles.count == 1:
        return False
    return tiles.across > 1 or (t.batch > 1 and (tiles.rolled or not channels_last))


def scattered(t: Tape, heads: int, tiles: Tiles, channels_last: bool) -> bool:
    """Whether a product a tile and head copies the tiles that `split` left as they lay."""
    as_it_lay = not _moves(t, tiles, channels_last) and (channels_last or tiles.count > 1)
    return as_it_lay and heads > 1 and t.batch * tiles.count > 1


def join(
    t: Tape, x: Tensor, width: int, tiles: Tiles, positions: int, channels_first: bool = False
) -> Tensor:
    """(B·T, width, P) to the (B, width, positions) that lie on the map: a view of all tiles.

    Where all tiles of a channel lie side by side (channels first), a column of them is its map.
    """
    y = t.copy_if(tiles.across > 1 or (tiles.down > 1 and not channels_first), x)
    if tiles.rolled:
        y = _replaced(t, y)
    cropped = t.view(y, t.map(width, positions))
    t.free(y)
    return cropped


def _replaced(t: Tape, x: Tensor) -> Tensor:
    y = t.copy(x)
    t.free(x)
    return y
