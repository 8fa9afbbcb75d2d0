"""Images of an ImageNet-style folder, decoded and augmented by workers with timm's transforms."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from space.torchvision_support import prepare_torchvision
from trainers.data.describe import DataDescription
from trainers.data.epoch_samples import samples_of_epoch
from trainers.data.image_index import ImageIndex
from trainers.data.picture import read_picture
from trainers.data.search_data import Batch, SearchData
from trainers.data.split import Indices, Split
from trainers.protocol import Augmentation
from trainers.seeds import derive, seeded

Transform = Callable[[Image.Image], Tensor]


class FolderImages(Dataset[tuple[Tensor, int]]):
    """Some images of an index, each transformed under a seed of its own.

    So an image does not depend on which worker decodes it, or on how many workers there are.
    """

    def __init__(
        self,
        index: ImageIndex,
        positions: Indices,
        transform: Transform,
        seed: int = 0,
        background: str = "white",
    ) -> None:
        self.index, self.positions, self.transform = index, positions, transform
        self.seed, self.background = seed, background

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, item: int) -> tuple[Tensor, int]:
        position = int(self.positions[item])
        image = read_picture(self.index.folder / self.index.files[position], self.background)
        with seeded(derive(self.seed, position)):
            return self.transform(image), int(self.index.labels[position])


_LONGEST_SHARE = 8
"""How many times as long as it is wide a picture may be before its ends are cut off for a test."""


def _middle(image: Image.Image) -> Image.Image:
    """What a centre crop can reach of a very long picture, so that resizing it costs little."""
    longest = _LONGEST_SHARE * min(image.size)
    left, top = ((edge - min(edge, longest)) // 2 for edge in image.size)
    if not left and not top:
        return image
    return image.crop((left, top, image.width - left, image.height - top))


def train_transform(chosen: Augmentation) -> Transform:
    """timm's training transform: random resized crop, flip, RandAugment or colour jitter."""
    prepare_torchvision()
    from timm.data.transforms_factory import create_transform

    transform: Transform = create_transform(
        input_size=chosen.image_size,
        is_training=True,
        scale=chosen.crop_scale,
        hflip=chosen.flip,
        color_jitter=chosen.colour_jitter,
        auto_augment=chosen.rand_augment,
        interpolation=chosen.interpolation,
        re_prob=0.0,  # erasing is done on the batch, see trainers.data.mixing
    )
    return transform


def test_transform(chosen: Augmentation) -> Transform:
    """timm's evaluation transform: resize the shorter edge, then the centre crop."""
    prepare_torchvision()
    from timm.data.transforms_factory import create_transform

    fixed = "bicubic" if chosen.interpolation == "random" else chosen.interpolation
    transform: Transform = create_transform(
        input_size=chosen.image_size, interpolation=fixed, crop_pct=chosen.test_crop
    )
    return lambda image: transform(_middle(image))


def folder_batches(
    images: FolderImages, device: torch.device | str, workers: int, **options: Any
) -> Iterator[Batch]:
    """Batches of a data set on a device, float channels_last, with int64 labels."""
    on_gpu = torch.device(device).type == "cuda"
    loader = DataLoader(images, num_workers=workers, pin_memory=on_gpu, **options)
    for pixels, labels in loader:
        moved = pixels.to(device, non_blocking=on_gpu, memory_format=torch.channels_last)
        yield moved, labels.to(device, non_blocking=on_gpu)


class FolderData(SearchData):
    """Training and validation images of train/."""

    def __init__(
        self, description: DataDescription, index: ImageIndex, split: Split, workers: int
    ) -> None:
        super().__init__(description)
        self._index, self._split, self._workers = index, split, workers

    def _train_batches(self, epoch: int, seed: int, device: torch.device | str) -> Iterator[Batch]:
        images = FolderImages(
            self._index,
            self._split.train,
            train_transform(self.protocol.augmentation),
            derive(seed, epoch, "images"),
            self.protocol.augmentation.background,
        )
        samples = self.protocol.samples_per_epoch
        order = torch.Generator().manual_seed(derive(seed, epoch, "order"))
        sampler: Any = RandomSampler(images, generator=order)
        if samples is not None:
            sampler = samples_of_epoch(len(images), samples, epoch, seed).tolist()
        yield from folder_batches(
            images,
            device,
            self._workers,
            batch_size=self.train_images_per_epoch // self.steps_per_epoch,
            sampler=sampler,
            drop_last=True,
            generator=order,
        )

    def validation_batches(self, device: torch.device | str = "cpu") -> Iterator[Batch]:
        transform = test_transform(self.protocol.augmentation)
        images = FolderImages(
            self._index,
            self._split.validation,
            transform,
            background=self.protocol.augmentation.background,
        )
        size = self.protocol.batch_size
        yield from folder_batches(images, device, self._workers, batch_size=size)
