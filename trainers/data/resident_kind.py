"""What kinds of data have in common whose images are all in memory, and on the device."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from trainers.data.data_kind import DataKind, Part, Source
from trainers.data.labelled_images import LabelledImages, PerChannel
from trainers.data.split import Split


class ResidentKind(DataKind):
    """Small images of one size. They are normalised by those that are trained on.

    Attributes:
        normalisation: mean and deviation where they are fixed for all times, as Fashion-MNIST's.
    """

    normalisation: ClassVar[tuple[PerChannel, PerChannel] | None] = None

    @abstractmethod
    def load(self, part: Part, **options: Any) -> LabelledImages:
        """All images of a part; they are read every time, and small."""

    def prepared(self, source: Source, split: Split) -> LabelledImages:
        """Normalised by the training part."""
        assert isinstance(source, LabelledImages), "as `load` gives them"
        if self.normalisation is not None:
            return source
        return source.normalised_by(split.train)

    def test(self) -> LabelledImages:
        """The images of the test part, normalised as those of the search."""
        found = self.load("test")
        if self.normalisation is not None:
            return found
        train = self.load("train")
        train = self.prepared(train, self.split(train))
        return replace(found, mean=train.mean, std=train.std)

    def part_of(self, whole: LabelledImages, part: Part) -> LabelledImages:
        """The search's images or those kept for the test, of data without a test part."""
        kept = self.kept_for_test(whole)
        train, test = np.sort(kept.train), np.sort(kept.validation)
        if part == "test":
            return whole.only(test)
        said = f"{len(test):,} images are kept for the test (data.test_fraction)"
        return replace(whole.only(train), remarks=(*whole.remarks, said))
