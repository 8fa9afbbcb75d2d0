"""What a segmentation model gets: a picture, and the class of each of its pixels."""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from trainers.seeds import derive, seeded
from trainers.transfer.data.changes import SegmentationChanges
from trainers.transfer.data.index_masks import read_mask
from trainers.transfer.data.pictures import read_picture
from trainers.transfer.data.segmentation_changes import change, normalised, resized
from trainers.transfer.data.segmentation_index import ClassNumbers, SegmentationIndex
from trainers.transfer.data.tv_transforms import F, tv_tensors


class SegmentationSamples(Dataset[tuple[Tensor, Tensor]]):
    """Pictures (3, H, W) float32, normalised, and masks (H, W) int64 with 255 where none counts.

    In training both are squares of `crop` pixels; in validation the picture is made as large as
    it fits into shortest and longest, and the mask stays as it is in the file.

    Args:
        seed: of the changes that training pictures undergo; None shows them as validation does.
    """

    def __init__(
        self,
        index: SegmentationIndex,
        numbers: ClassNumbers,
        changes: SegmentationChanges,
        *,
        seed: int | None = None,
    ) -> None:
        self.index, self.changes, self.seed = index, changes, seed
        self._table = numbers.table()

    def __len__(self) -> int:
        return len(self.index.files)

    def __getitem__(self, item: int) -> tuple[Tensor, Tensor]:
        index = self.index
        picture = read_picture(index.images / index.files[item], upright=bool(index.upright[item]))
        mask = torch.from_numpy(self._table[read_mask(index.masks / index.mask_files[item])])
        image = F.pil_to_tensor(picture)
        if self.seed is None:
            return normalised(resized(image, 1.0, self.changes), self.changes), mask.long()
        with seeded(derive(self.seed, item)):
            return change(image, tv_tensors.Mask(mask), self.changes)
