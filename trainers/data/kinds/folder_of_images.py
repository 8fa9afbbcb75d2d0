"""A folder of labelled pictures: class folders in one of many layouts, or a table of labels."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainValidator

from space.input.paths import Folder, written_path
from trainers.data.data_kind import Part
from trainers.data.image_folder import indexing
from trainers.data.image_folder.indexing import Listed
from trainers.data.image_folder.layout import FolderLayout
from trainers.data.picture_kind import PictureConfig, PictureKind

File = Annotated[Path, PlainValidator(written_path)]


class ImageFolderConfig(PictureConfig):
    """A folder of labelled pictures.

    Attributes:
        folder: with class folders, or train/ and perhaps val/ and test/ with class folders each,
            or pictures with a table of labels.
        labels: the table: file,label in two columns. Its path from the folder; labels.csv there
            is found by itself where there are no class folders.
        layout: "named" takes folders of the parts for what they are called: test/ is the test
            split, or else val/ is. "train_val" knows train/ and val/ alone, and val/ is the test
            split, as in earlier releases.
    """

    before: ClassVar[Mapping[str, Any]] = {"layout": "train_val"}

    name: Literal["image-folder"] = "image-folder"
    folder: Folder
    labels: File | None = None
    layout: Literal["named", "train_val"] = "named"


class ImageFolder(PictureKind):
    """Pictures in files of their own."""

    Config = ImageFolderConfig
    config: ImageFolderConfig

    @cached_property
    def _layout(self) -> FolderLayout:
        return indexing.layout_of(self.config)

    def classes(self) -> tuple[str, ...]:
        return self._layout.classes

    def listed(self, part: Part) -> Listed:
        return indexing.list_part(self._layout, part)

    def test_place(self) -> Path | None:
        return self._layout.test

    def part_names(self) -> tuple[str, str]:
        layout = self._layout
        if "validation" in layout.parts or layout.parts["train"].table is not None:
            return "the pictures of the search", "the test split"
        return "train/", f"{layout.parts['test'].folder.name}/"
