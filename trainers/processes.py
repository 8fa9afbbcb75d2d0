"""The processes that train one trial together, and what they tell each other.

Each has its share of every batch (`trainers.data.share`); torch.distributed carries the rest: gloo
between CPUs, NCCL between GPUs. One process alone needs none of it, and nothing of it is imported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from trainers.data.share import Share

PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others; they may read many images, or validate, meanwhile."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train one trial.

    Attributes:
        rank: which it is, from 0; the first writes checkpoints. size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def share(self) -> Share:
        """What this process has of every batch."""
        return Share(self.rank, self.size)

    @property
    def is_first(self) -> bool:
        """Whether it is the one that speaks for all."""
        return self.rank == 0

    def mean(self, value: Tensor) -> Tensor:
        """The mean over the processes, on all of them."""
        return self.sum(value.detach()) / self.size

    def sum(self, value: Tensor) -> Tensor:
        """The sum over the processes, on all of them."""
        return self._reduced(value, "SUM")

    def maximum(self, value: Tensor) -> Tensor:
        """The largest of the processes, on all of them."""
        return self._reduced(value, "MAX")

    def from_first(self, values: Iterable[Tensor]) -> None:
        """Give tensors the values that they have in the first process."""
        if self.size > 1:
            for value in values:
                torch.distributed.broadcast(value, 0)

    def wait_for_all(self) -> None:
        """Until every process has come here."""
        if self.size > 1:
            torch.distributed.barrier()

    def joined(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model, with gradients that are the mean over all processes."""
        if self.size == 1:
            return model
        devices = [device] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=devices)

    def _reduced(self, value: Tensor, how: str) -> Tensor:
        if self.size == 1:
            return value
        found = value.detach().clone()
        torch.distributed.all_reduce(found, getattr(torch.distributed.ReduceOp, how))
        return found


ALONE = Processes()


def meeting_place(host: str, port: int = 0) -> Any:
    """Where the processes of a trial meet, a `torch.distributed.TCPStore`.

    Args:
        host: of the first process, by which the others reach it.
        port: where it listens; 0 in the first process, which takes a free one (`.port`).
    """
    made: Any = torch.distributed
    listens = {"is_master": port == 0, "wait_for_workers": False, "timeout": PATIENCE}
    return made.TCPStore(host, port, **listens)


def join(rank: int, size: int, place: Any, device: torch.device | str) -> Processes:
    """Meet the other processes of a trial; `leave` ends it.

    Args:
        rank: of this process, from 0. size: how many there are.
        place: of the meeting; that of the first process is opened first.
        device: of the training; NCCL speaks between GPUs, gloo between CPUs.
    """
    device = torch.device(device)
    if device.type == "cuda":
        torch.cuda.set_device(device if device.index is not None else 0)
    torch.distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=place,
        rank=rank,
        world_size=size,
        timeout=PATIENCE,
    )
    return Processes(rank, size)


def leave() -> None:
    """Part from the other processes."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
