"""What a kind of data is: its fields, its shape, and how its images are found and divided."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from space.errors import InputError
from trainers.data.data_config import DataConfig
from trainers.data.image_folder.image_index import ImageIndex, Inspected
from trainers.data.labelled_images import LabelledImages
from trainers.data.registry import kind_of
from trainers.data.split import Split, split_given, split_train_validation
from trainers.protocol import Protocol
from trainers.seeds import derive

Say = Callable[[str], None]
Part = Literal["train", "test"]
Source = LabelledImages | ImageIndex

TEST_FRACTION = 0.1
"""Share of the images kept for the test where the data have none of their own."""


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a network must fit, known before any image is read.

    Attributes:
        name: of the data. channels, height, width: of one image, in pixels. classes: how many.
        class_names: where the classes have names.
    """

    name: str
    channels: int
    height: int
    width: int
    classes: int
    class_names: tuple[str, ...] = ()


class DataKind(ABC):
    """Data of one kind, under a protocol. A file of `trainers.data.kinds` has one subclass.

    Its fields are declared in `Config`. Images of the test part are read by `load("test")` alone,
    for which `trainers.data.opening` has the only key.
    """

    Config: ClassVar[type[DataConfig]]

    def __init__(self, config: Any, protocol: Protocol) -> None:
        self.config = config
        self.protocol = protocol

    @abstractmethod
    def shape(self) -> DataShape:
        """The shape of the data, without opening an image.

        Raises:
            InputError: if it can be seen already that the data are not there or not whole.
        """

    @abstractmethod
    def load(
        self, part: Part, *, say: Say | None = None, inspected: Inspected | None = None
    ) -> Source:
        """The images of a part, or an index of them.

        Args:
            part: "train" is all that a search may see, validation included.
            say: told how far it is, where it takes more than a moment.
            inspected: of the driver that has read all files; then nothing is read again.

        Raises:
            InputError: naming all that is missing, broken or does not fit.
        """

    def shape_of(self, source: Source) -> DataShape:
        """The shape of data that have been found, without a second look where they lie."""
        return self.shape()

    def split(self, source: Source) -> Split:
        """Training and validation part of what a search may see."""
        limits = {
            "limit_train": self.config.limit_train,
            "limit_validation": self.config.limit_validation,
        }
        seed = self.protocol.split_seed
        if source.validation is not None:
            return split_given(source.labels, source.validation, seed=seed, **limits)
        fraction = self.protocol.validation_fraction
        return split_train_validation(
            source.labels, seed=seed, validation_fraction=fraction, **limits
        )

    def prepared(self, source: Source, split: Split) -> Source:
        """The source, with what follows from the split."""
        return source

    def test(self) -> Source:
        """The images of the test part, prepared as those of the search. Only for the audited call.

        Raises:
            InputError: as `load`.
        """
        return self.load("test")

    def warnings(self, source: Source, say: Say | None) -> tuple[str, ...]:
        """Sentences on the test part, of whose images no more than hashes may be made for them."""
        return ()

    def kept_for_test(self, source: Source) -> Split:
        """What of the images is kept for the test, where they have no test part: `validation`."""
        fraction = getattr(self.config, "test_fraction", None)
        return split_train_validation(
            source.labels,
            seed=derive(self.protocol.split_seed, "test"),
            validation_fraction=TEST_FRACTION if fraction is None else fraction,
            field="data.test_fraction",
        )


def find_kind(config: DataConfig, protocol: Protocol) -> DataKind:
    """The kind of data of a configuration, under a protocol.

    Raises:
        InputError: the protocol is for other data.
    """
    if protocol.data != config.name:
        message = f"is for {protocol.data!r}, and data.name is {config.name!r}"
        raise InputError.of("protocol.data", message)
    kind: type[DataKind] = kind_of(config.name)
    return kind(config, protocol)
