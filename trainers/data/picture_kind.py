"""What kinds of data have in common whose pictures are decoded one by one, by workers."""

from abc import abstractmethod
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictFloat, StrictInt

from space.errors import InputError
from space.input.paths import shown_path
from trainers.data.data_config import DataConfig
from trainers.data.data_kind import DataKind, DataShape, Part, Source
from trainers.data.image_folder.image_index import ImageIndex, Inspected
from trainers.data.image_folder.indexing import (
    Listed,
    inspected_index,
    kept_apart,
    warn_of_test_copies,
)
from trainers.data.image_folder.inspection import Say


class PictureConfig(DataConfig):
    """Pictures that are decoded as they are needed.

    Attributes:
        check: how each picture is looked at before the first trial: "full" decodes it, "headers"
            reads what it says of itself, "none" only hashes it.
        broken: "refuse" to begin with files that are no readable pictures, or "leave_out", for
            all trials alike.
        test_fraction: share of the pictures kept for the test where the data have no test part;
            0.1 unless given.
        workers: processes that decode pictures; results do not depend on it.
    """

    check: Literal["full", "headers", "none"] = "full"
    broken: Literal["refuse", "leave_out"] = "refuse"
    test_fraction: StrictFloat | None = Field(default=None, gt=0, lt=1)
    workers: StrictInt = Field(default=0, ge=0, le=256)


class PictureKind(DataKind):
    """Pictures of any size, brought to that of the protocol, in colour."""

    config: PictureConfig

    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Their names, in the order of their numbers.

        Raises:
            InputError: naming all that is missing or does not match.
        """

    @abstractmethod
    def listed(self, part: Part) -> Listed:
        """The pictures of the test part, or all that a search may see; none is read.

        Without a test part it is the same for both.

        Raises:
            InputError: naming all that is missing or does not match.
        """

    @abstractmethod
    def test_place(self) -> Path | None:
        """Where the test part lies; None where it is a share of the others."""

    @abstractmethod
    def part_names(self) -> tuple[str, str]:
        """What the parts of search and test are called; of folders with a slash at the end."""

    def shape(self) -> DataShape:
        """Three channels, of the protocol's size."""
        self._refuse_fraction()
        return self._shape(self.classes())

    def shape_of(self, source: Source) -> DataShape:
        """The same of what was found."""
        assert isinstance(source, ImageIndex), "as `load` gives it"
        return self._shape(source.classes)

    def _shape(self, classes: tuple[str, ...]) -> DataShape:
        size = self.protocol.augmentation.image_size
        return DataShape(self.config.name, 3, size, size, len(classes), classes)

    def load(
        self, part: Part, *, say: Say | None = None, inspected: Inspected | None = None
    ) -> ImageIndex:
        """An index of the pictures of a part, each inspected once."""
        self._refuse_fraction()
        left_out = None if inspected is None else inspected.left_out
        index = inspected_index(self.listed(part), self.config, say=say, left_out=left_out)
        if self.test_place() is None:
            index = kept_apart(index, self.kept_for_test(index), part)
        if inspected is not None:
            inspected.check(index)
        return index

    def warnings(self, source: Source, say: Say | None) -> tuple[str, ...]:
        """Where pictures of the search are also in the test part, by content."""
        assert isinstance(source, ImageIndex), "as `load` gives it"
        if self.test_place() is None:
            return ()
        return warn_of_test_copies(source, self.listed("test"), self.part_names(), say)

    def _refuse_fraction(self) -> None:
        place = self.test_place()
        if place is not None and self.config.test_fraction is not None:
            message = f"{shown_path(str(place))} is the test split; only without it"
            raise InputError.of("data.test_fraction", message)
