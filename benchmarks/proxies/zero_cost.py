"""Zero-cost scores: what a network says of itself before it is trained, from a batch or two.

Each is written from its paper's formula, for networks of any operator. Higher is said to be better.
"""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.networks import Network

Batch = tuple[Tensor, Tensor]
"""(B, channels, height, width) images and (B,) labels."""

_GATES = (nn.ReLU, nn.GELU)


def gradient_norm(network: Network, batches: list[Batch]) -> float:
    """The norms of the loss's gradients, over the weights (Abdelfattah et al., ICLR 2021)."""
    return math.fsum(float(g.norm()) for _, g in _gradients(network, batches[0]))


def snip(network: Network, batches: list[Batch]) -> float:
    """Σ |θ · ∂L/∂θ|: how much the loss hangs on each weight (Lee et al., ICLR 2019)."""
    return math.fsum(float((w * g).abs().sum()) for w, g in _gradients(network, batches[0]))


def synflow(network: Network, batches: list[Batch]) -> float:
    """log Σ |θ| · ∂R/∂|θ|, R being the sum of outputs on ones (Tanaka et al., NeurIPS 2020).

    Batch norm is that of fresh statistics, the identity; layer norm stays.
    """
    network = network.double().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.abs_()
    network(torch.ones_like(batches[0][0][:1], dtype=torch.double)).sum().backward()
    flows = (w.detach() * w.grad for w in network.parameters() if w.grad is not None)
    return math.log(max(math.fsum(float(each.abs().sum()) for each in flows), 1e-300))


def jacobian_covariance(network: Network, batches: list[Batch]) -> float:
    """How unlike the images' Jacobians are: −Σ log λ + 1/λ of their correlations.

    Mellor et al., "Neural architecture search without training" (first version, 2020).
    """
    images = batches[0][0].clone().requires_grad_()
    network(images).sum().backward()
    assert images.grad is not None
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(images.grad.flatten(1).double()))
    eigenvalues = eigenvalues.clamp_min(0) + 1e-5
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())


def naswot(network: Network, batches: list[Batch]) -> float:
    """log |det K|, K counting activations that two images share the sign of (Mellor et al., 2021).

    A GELU counts as the ReLU that it rounds off.
    """
    images = batches[0][0]
    kernel = torch.zeros(len(images), len(images), dtype=torch.double)
    with torch.no_grad(), _inputs_of(network, _GATES) as seen:
        network(images)
        for each in seen:
            # Images are the first axis of every activation, or what it is cut into windows of.
            on = (each.reshape(len(images), -1) > 0).double()
            kernel += on @ on.T + (1 - on) @ (1 - on).T
    return float(torch.linalg.slogdet(kernel)[1])


def zen(network: Network, batches: list[Batch]) -> float:
    """log of how far a little noise moves the last map, and log deviations at batch norms.

    Lin et al., "Zen-NAS", ICCV 2021; mean of four draws.
    """
    shape = batches[0][0].shape
    found = []
    with torch.no_grad():
        for _ in range(4):
            noise, change = torch.randn(shape), torch.randn(shape)
            with _inputs_of(network, (nn.BatchNorm2d,)) as seen:
                before = network.forward_stages(noise)[-1]
            scales = [float(x.var(dim=(0, 2, 3)).mean().sqrt().log()) for x in seen]
            after = network.forward_stages(noise + 0.01 * change)[-1]
            moved = float((before - after).abs().flatten(1).sum(1).mean())
            found.append(math.log(max(moved, 1e-30)) + math.fsum(scales))
    return math.fsum(found) / len(found)


def zico(network: Network, batches: list[Batch]) -> float:
    """Σ over layers of log Σ mean |g| / deviation of g, over batches (Li et al., ICLR 2023)."""
    every = [[g for _, g in _gradients(network, batch)] for batch in batches]
    total = 0.0
    for gradients in zip(*every, strict=True):
        if gradients[0].dim() < 2:
            continue
        layer = torch.stack(gradients)
        deviation = layer.std(0, correction=0)
        told = deviation > 0
        ratio = float((layer.abs().mean(0)[told] / deviation[told]).sum())
        total += math.log(ratio) if ratio > 0 else 0.0
    return total


SCORES: dict[str, Callable[[Network, list[Batch]], float]] = {
    "gradient norm": gradient_norm,
    "SNIP": snip,
    "SynFlow": synflow,
    "Jacobian covariance": jacobian_covariance,
    "NASWOT": naswot,
    "Zen": zen,
    "ZiCo": zico,
}
"""By their names."""


def score(name: str, network: Network, batches: list[Batch]) -> float:
    """A score of a network, which is left as it was; NaN where it is not finite.

    Args:
        name: of `SCORES`.
        network: with its first weights.
        batches: two or more.
    """
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(0)
        found = SCORES[name](copy.deepcopy(network).train(), batches)
    return found if math.isfinite(found) else math.nan


def _gradients(network: Network, batch: Batch) -> list[tuple[Tensor, Tensor]]:
    """Weights and the gradients of the loss by them."""
    network.zero_grad()
    functional.cross_entropy(network(batch[0]), batch[1]).backward()
    return [(w.detach(), w.grad) for w in network.parameters() if w.grad is not None]


@contextmanager
def _inputs_of(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[list[Tensor]]:
    """What modules of some kinds are given, in the order in which they are called."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        seen.append(arguments[0].detach())

    hooks = [m.register_forward_pre_hook(keep) for m in network.modules() if isinstance(m, kinds)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()
