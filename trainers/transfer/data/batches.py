"""Which pictures come together, in which order, whatever the number of workers and processes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from trainers.data.share import Share
from trainers.seeds import derive

Batches = list[list[int]]
"""Items of a data set, batch by batch."""


def training_batches(
    images: int,
    batch_size: int,
    *,
    epoch: int,
    seed: int,
    groups: NDArray[np.int64] | None = None,
) -> Batches:
    """The batches of an epoch: each item at most once, and images // batch_size of them, all full.

    Args:
        images: how many there are; a batch has no more than that.
        batch_size: of all processes together.
        groups: (images,) numbers; where given, batches are of one group each, but for the last
            ones, which take what the groups have left over.
    """
    size = min(batch_size, images)
    generator = torch.Generator().manual_seed(derive(seed, epoch, "order"))
    order = torch.randperm(images, generator=generator).tolist()
    if groups is not None:
        order = _grouped(order, groups, size)
    return [order[at : at + size] for at in range(0, images - size + 1, size)]


def _grouped(order: list[int], groups: NDArray[np.int64], size: int) -> list[int]:
    """The items anew, so that each run of `size` is of one group as long as that comes out even.

    A batch comes where the last of its items came, so that groups stay mixed over the epoch.
    """
    waiting: dict[int, list[int]] = {}
    taken: list[int] = []
    for item in order:
        batch = waiting.setdefault(int(groups[item]), [])
        batch.append(item)
        if len(batch) == size:
            taken += batch
            batch.clear()
    return [*taken, *(item for batch in waiting.values() for item in batch)]


def batches_of_equal_sizes(sizes: NDArray[np.int64], batch_size: int) -> Batches:
    """All items in batches of one size each, in the order of their sizes; none has more than asked.

    Args:
        sizes: (images, 2) pixels.
    """
    order = np.lexsort((sizes[:, 1], sizes[:, 0])) if len(sizes) else np.empty(0, np.int64)
    batches: Batches = []
    for item in order.tolist():
        last = batches[-1] if batches else []
        if last and len(last) < batch_size and (sizes[last[0]] == sizes[item]).all():
            last.append(item)
        else:
            batches.append([item])
    return batches


def shared_batches(batches: Batches, share: Share) -> Batches:
    """What one of several processes has of every training batch.

    Raises:
        ValueError: a batch cannot be shared evenly.
    """
    if share.size == 1:
        return batches
    if batches and len(batches[0]) % share.size:
        message = f"{len(batches[0])} images a batch cannot be shared by {share.size} processes"
        raise ValueError(message)
    return [[batch[place] for place in share.places(len(batch)).tolist()] for batch in batches]


def loaded(
    samples: Dataset[Any],
    batches: Sequence[list[int]],
    *,
    workers: int,
    seed: int,
    collate: Callable[[list[Any]], Any] | None = None,
) -> Iterator[Any]:
    """The batches, read and changed by workers, on the CPU."""
    # A generator of its own: it must not draw from that of drop path.
    generator = torch.Generator().manual_seed(seed)
    yield from DataLoader(
        samples,
        batch_sampler=batches,
        num_workers=workers,
        generator=generator,
        collate_fn=collate,
    )
