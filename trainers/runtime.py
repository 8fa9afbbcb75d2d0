"""How a training is computed, beside what its protocol says: on what, in how many shares, how."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from space.errors import InputError, Problem
from trainers.protocol import Protocol

if TYPE_CHECKING:
    from torch import nn

CompileMode = Literal["reduce-overhead", "max-autotune"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """Ways to compute the same with less time or memory; in no protocol's hash.

    Attributes:
        compile: the network is compiled by `torch.compile` for its training steps, perhaps in one
            of its modes: "reduce-overhead" replays CUDA graphs, so that small networks do not wait
            for the start of each kernel. Sums may come in another order, as on another device:
            results differ by rounding.
        grad_checkpointing: of every block only its input is kept for the gradients, and the rest is
            computed again: a second forward pass for less memory, and the same results.
    """

    compile: bool | CompileMode = False
    grad_checkpointing: bool = False

    def prepared(self, network: "nn.Module") -> "nn.Module":
        """The network as its training steps call it.

        Raises:
            InputError: it cannot do what is asked for.
        """
        if self.grad_checkpointing:
            own: Any = getattr(network, "module", network)
            if not hasattr(own, "set_grad_checkpointing"):
                message = f"{type(own).__name__} has no set_grad_checkpointing"
                raise InputError.of("resources.grad_checkpointing", message)
            own.set_grad_checkpointing(True)
        if not self.compile:
            return network
        import torch

        mode = None if self.compile is True else self.compile
        compiled: Any = torch.compile(network, mode=mode)
        made: nn.Module = compiled
        return made


PLAIN = Runtime()


def runtime_problems(protocol: Protocol, device: str) -> Iterator[Problem]:
    """What a device cannot do of a protocol.

    Args:
        device: its type, such as "cpu".
    """
    if protocol.precision == "float16" and device != "cuda":
        message = f"float16 is for GPUs, and a trial trains on a {device}: float32 is for all"
        yield Problem("protocol.precision", message)


def shares_problems(protocol: Protocol, batch: int, processes: int) -> Iterator[Problem]:
    """Why so many processes cannot share the batches of a protocol.

    Args:
        batch: images of a batch. processes: that train a trial together.
    """
    if protocol.batch_norm_parts not in (1, processes):
        message = (
            f"{protocol.batch_norm_parts} shares of a batch are those of as many processes, and a "
            f"trial has {processes}; 1 is for any number of them"
        )
        yield Problem("protocol.batch_norm_parts", message)
    shares = processes * protocol.accumulation
    least = shares * (2 if protocol.augmentation.mixes else 1)
    if shares > 1 and batch % least:
        pairs = ", in pairs that are mixed" if protocol.augmentation.mixes else ""
        message = (
            f"a batch of {batch} images cannot be cut into {processes} processes × "
            f"{protocol.accumulation} (accumulation) equal parts{pairs}; a multiple of {least} can"
        )
        yield Problem("protocol.batch_size", message)
