"""What the driver's one pass over a folder found, so that workers need not read all of it again."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from space.paths import shown_path
from trainers.outcome import UnreadableData

if TYPE_CHECKING:
    from trainers.data.image_index import ImageIndex


@dataclass(frozen=True, slots=True)
class Inspected:
    """The content hash, and the listing that it holds for.

    Attributes:
        listing: by class, the number of pictures and a hash of their names and sizes.
        left_out: names of broken files. All names are as `plain_name` writes them.
    """

    content_hash: str
    listing: Mapping[str, str]
    left_out: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return {
            "content_hash": self.content_hash,
            "listing": dict(self.listing),
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Inspected":
        """What `to_dict` made."""
        return cls(values["content_hash"], values["listing"], tuple(values["left_out"]))

    def check(self, index: "ImageIndex") -> None:
        """Compare with what lies in the folder now.

        Raises:
            UnreadableData: naming the class folder that differs.
        """
        now = index.listing()
        for name in sorted({*now, *self.listing}):
            if now.get(name) != self.listing.get(name):
                before, after = (_count(each.get(name)) for each in (self.listing, now))
                place = index.folder / os.fsdecode(unquote_to_bytes(name))
                raise UnreadableData(
                    f"{shown_path(str(place))} does not hold the files that it held when the run "
                    f"began: {before} pictures then, {after} now"
                )


def plain_name(name: str) -> str:
    """A name of a file in ASCII, to be carried anywhere: other names are other texts."""
    return quote_from_bytes(os.fsencode(name))


def _count(entry: str | None) -> str:
    return "no" if entry is None else entry.split()[0]
