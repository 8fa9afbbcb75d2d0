"""Which training images make an epoch where it is not every image once."""

import torch
from torch import Tensor

from trainers.seeds import derive


def samples_of_epoch(images: int, samples: int, epoch: int, seed: int) -> Tensor:
    """The next `samples` of an endless row of passes, each over all images in an order of its own.

    So every image is seen as often as any other, up to one, however many epochs a pass takes.

    Args:
        images: how many there are. samples: how many an epoch takes. epoch: from 1.

    Returns:
        (samples,) int64 positions of images.
    """
    start, stop = (epoch - 1) * samples, epoch * samples
    passes = range(start // images, -(-stop // images))
    row = torch.cat([_shuffled(images, number, seed) for number in passes])
    begun = start - passes.start * images
    return row[begun : begun + samples]


def _shuffled(images: int, number: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(derive(seed, number, "pass"))
    return torch.randperm(images, generator=generator)
