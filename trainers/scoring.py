"""Scores a network on labelled batches."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainers.precision import autocast
from trainers.protocol import Protocol


@torch.inference_mode()
def score(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    protocol: Protocol,
    device: torch.device,
) -> tuple[float, float]:
    """Mean cross entropy (nats, no smoothing) and share of images classified rightly (0 to 1).

    The network is left in evaluation mode.
    """
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=device)
    right = torch.zeros((), dtype=torch.int64, device=device)
    images = 0
    for pixels, labels in batches:
        with autocast(protocol, device):
            logits = model(pixels).float()
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        right += (logits.argmax(1) == labels).sum()
        images += len(labels)
    return float(loss) / images, int(right) / images
