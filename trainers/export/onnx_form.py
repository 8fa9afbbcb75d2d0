"""The network in a form that ONNX can say: a convolution there has a fixed number of groups.

Kernels that are generated for each image are applied by torch as one convolution of batch × groups
groups. ONNX keeps the number of groups in the file, so there each neighbourhood is unfolded, and
the kernels are a matrix product over it: the same sums.
"""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from space.operators.aggregators import Convolution


class UnfoldedConvolution(Convolution):
    """`Convolution` without groups that depend on the batch."""

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x (B, C, H, W), weights (O, I, k, k) or (B, O, I, k, k) to (B, C, H, W)."""
        if weights.dim() == 4:
            y: Tensor = super().forward(x, weights)
            return y
        plan, k = self.plan, self.plan.kernel_size
        weights = weights.repeat_interleave(plan.width // plan.outputs, dim=1)
        neighbours = F.unfold(x, k, padding=k // 2)
        rows = neighbours.unflatten(1, (plan.groups, -1))
        matrices = weights.flatten(2).unflatten(1, (plan.groups, -1))
        mixed: Tensor = torch.matmul(matrices, rows).flatten(1, 2).unflatten(2, x.shape[2:])
        return mixed


def in_onnx_form(network: nn.Module) -> nn.Module:
    """A copy that computes the same; the network itself where it is in that form already."""
    if not any(_generates_kernels(module) for module in network.modules()):
        return network
    copy = deepcopy(network)
    for module in list(copy.modules()):
        for name, part in list(module.named_children()):
            if type(part) is Convolution:
                setattr(module, name, UnfoldedConvolution(part.plan))
    return copy.train(network.training)


def _generates_kernels(module: nn.Module) -> bool:
    return type(module) is Convolution and module.plan.mixer.dynamics.source.dynamic
