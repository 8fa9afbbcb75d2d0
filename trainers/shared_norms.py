"""Batch norm over the images of all processes: torch's own on GPUs, and one for CPUs."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm


def share_statistics(network: nn.Module, device: torch.device) -> None:
    """Let every batch norm of a network go by the images of all processes; weights stay."""
    for part in network.modules():
        if isinstance(part, _BatchNorm):
            if device.type == "cuda":
                part.__class__ = nn.SyncBatchNorm
                vars(part)["process_group"] = None
            else:
                part.__class__ = SharedBatchNorm


class _SumOverAll(torch.autograd.Function):
    """The sum over all processes, and so is its gradient."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        return _summed(value)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return _summed(gradient)


def _sum_over_all(value: Tensor) -> Tensor:
    found: Tensor = _SumOverAll.apply(value)  # type: ignore[no-untyped-call]
    return found


def _summed(value: Tensor) -> Tensor:
    found = value.clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(found)
    return found


class SharedBatchNorm(_BatchNorm):
    """Batch norm with the statistics of all processes, on any device.

    Every process must have as many values: shares of a batch are equal. `nn.SyncBatchNorm`, which
    does the same, refuses CPUs.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, …) to the same shape."""
        if not self.training:
            y: Tensor = functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
            return y
        over = [0, *range(2, x.dim())]
        values = x.numel() // x.shape[1] * torch.distributed.get_world_size()
        exact = x if x.dtype == torch.float64 else x.float()
        mean = _sum_over_all(exact.sum(over)) / values
        centred = exact - _as_channels(mean, x)
        variance = _sum_over_all(centred.square().sum(over)) / values
        self._note(mean.detach(), variance.detach(), values)
        normed = centred * _as_channels(torch.rsqrt(variance + self.eps), x)
        if self.weight is not None:
            normed = normed * _as_channels(self.weight, x) + _as_channels(self.bias, x)
        return normed.to(x.dtype)

    def _note(self, mean: Tensor, variance: Tensor, values: int) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum
        share = 1 / int(self.num_batches_tracked) if share is None else share
        unbiased = variance * (values / max(1, values - 1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)


def _as_channels(value: Tensor, like: Tensor) -> Tensor:
    return value.view(-1, *[1] * (like.dim() - 2))
