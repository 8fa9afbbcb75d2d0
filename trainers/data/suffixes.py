"""Which files of a folder count as pictures: by suffix and kind, as Pillow can read them here."""

from functools import lru_cache

from PIL import Image, features

_FORMATS = frozenset(
    {
        "AVIF",
        "BMP",
        "DIB",
        "GIF",
        "JPEG",
        "JPEG2000",
        "PCX",
        "PNG",
        "PPM",
        "QOI",
        "SGI",
        "TGA",
        "TIFF",
        "WEBP",
    }
)
"""Kinds of one picture of pixels; not the documents, films and tables that Pillow also knows."""
_NEEDS = {"AVIF": "avif", "WEBP": "webp", "JPEG": "jpg", "JPEG2000": "jpg_2000", "PNG": "zlib"}


@lru_cache(maxsize=1)
def suffixes() -> tuple[str, ...]:
    """Such as (".avif", ".bmp", …), sorted, in lower case.

    They are asked of the Pillow at hand, so another one may know others. A worker compares what it
    lists with what the driver listed (`trainers.data.inspected`), and a difference is told.
    """
    known = Image.registered_extensions()
    return tuple(sorted(suffix for suffix, kind in known.items() if _is_readable(kind)))


@lru_cache(maxsize=1)
def readable_formats() -> tuple[str, ...]:
    """Pillow's names of the kinds that a file may be of, whatever its name: ("AVIF", "BMP", …).

    Pillow would open others, and hand PostScript that is named .jpg to a program that runs it.
    """
    Image.init()
    return tuple(sorted(kind for kind in _FORMATS if _is_readable(kind)))


def listed_suffixes() -> str:
    """All of them in a sentence."""
    return " ".join(suffixes())


def _is_readable(kind: str) -> bool:
    if kind not in _FORMATS or kind not in Image.OPEN:
        return False
    return kind not in _NEEDS or bool(features.check(_NEEDS[kind]))
