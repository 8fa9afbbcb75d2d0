"""Where the bytes of pictures lie: in files of their own below a folder, or otherwise."""

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, NamedTuple


class Place(NamedTuple):
    """Where a picture lies.

    Attributes:
        key: tells it from all other pictures of this machine.
        file: the file whose change may be one of the picture; empty where there is none, and what
            is found out about the picture is not kept.
    """

    key: str
    file: str


class PictureFiles(ABC):
    """Pictures by name.

    Attributes:
        folder: that they lie below, for messages.
    """

    folder: Path

    @abstractmethod
    def path(self, name: str) -> str:
        """What a picture is called in messages."""

    @abstractmethod
    def place(self, name: str) -> Place:
        """Where it lies, links followed."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Its bytes, from the first.

        Raises:
            OSError: as the system does.
        """


class InFolder(PictureFiles):
    """Files below a folder, by their paths from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._base = os.path.realpath(folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InFolder) and other.folder == self.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def place(self, name: str) -> Place:
        path = os.path.realpath(os.path.join(self._base, name))
        return Place(path, path)

    def open(self, name: str) -> BinaryIO:
        return (self.folder / name).open("rb")
