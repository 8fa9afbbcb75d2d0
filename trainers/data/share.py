"""Which images of a batch go through the network together: parts of a batch, shares of processes.

An image has its place in the whole batch, whoever it falls to. What is random about it follows from
that place, so that the same images come out however many processes there are.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several equal processes has of every batch.

    Attributes:
        rank: which of them, from 0. size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def parts(self, batch: int, parts: int = 1) -> list[Tensor]:
        """The places of its images, by the part of the batch.

        Args:
            batch: images of the whole batch, a multiple of `size` times `parts`.
            parts: of the batch that go through the network one after the other; which images are in
                which part does not depend on the processes.

        Returns:
            one tensor (batch / size / parts,) int64 for each part, rising.
        """
        whole = [_dealt(batch, part, parts) for part in range(parts)]
        return [part[_dealt(len(part), self.rank, self.size)] for part in whole]

    def places(self, batch: int, parts: int = 1) -> Tensor:
        """All its places in a batch, rising: (batch / size,) int64."""
        return torch.cat(self.parts(batch, parts)).sort().values


WHOLE = Share()


def _dealt(count: int, rank: int, size: int) -> Tensor:
    """Every size-th of `count` places.

    In pairs from both ends where that comes out even: mixing pairs the first image with the last,
    and both of a pair are then in one share.
    """
    places = torch.arange(count)
    if count % (2 * size):
        return places[rank::size]
    near = places[: count // 2][rank::size]
    return torch.cat([near, (count - 1 - near).flip(0)])
