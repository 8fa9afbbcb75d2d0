"""The size of images as timm's models take it: an edge, or (height, width), in pixels."""

from collections.abc import Sequence

from space.architecture import Input
from space.errors import InputError


def image_edges(img_size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) in pixels.

    Raises:
        InputError: for what is no size.
    """
    edges = (img_size, img_size) if type(img_size) is int else img_size
    if not (isinstance(edges, tuple | list) and len(edges) == 2):
        raise InputError.of("img_size", f"{img_size!r:.80} is no edge and no (height, width)")
    height, width = edges
    try:
        Input(channels=1, height=height, width=width)
    except InputError as error:
        raise error.below("img_size") from None
    return height, width
