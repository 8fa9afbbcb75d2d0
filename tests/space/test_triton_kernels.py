"""The kernels for GPUs, in Triton's interpreter: the same as the definition one shift at a time."""

from types import ModuleType

import pytest
import torch
from torch import Tensor

from space.operator_choice import operators
from space.operators.neighbourhood import neighbourhood_dot, neighbourhood_sum
from space.operators.neighbourhood.shifts import batch_first, batch_last, dotted, scattered, summed
from tests.space.interpreted import as_on_a_gpu, interpreted


@pytest.fixture(scope="module")
def kernels() -> ModuleType:
    return interpreted("neighbourhood")


def plain(function: object, one: Tensor, other: Tensor, *rest: object) -> Tensor:
    y: Tensor = function(batch_last(one), batch_last(other), *rest)  # type: ignore[operator]
    return batch_first(y)


CASES = [
    pytest.param((2, 1, 3, 3, 2), 3, False, False, id="an odd map"),
    pytest.param((1, 1, 2, 1, 3), 5, False, False, id="a kernel above the map"),
    pytest.param((2, 2, 1, 2, 2), 3, True, False, id="a set a channel, shared by all images"),
    pytest.param((2, 2, 2, 1, 2), 3, False, True, id="channels last"),
    pytest.param((1, 1, 33, 1, 2), 1, False, False, id="more channels than a program has"),
    pytest.param((1, 1, 2, 12, 11), 1, True, False, id="more positions than a program has"),
    pytest.param((0, 2, 3, 3, 4), 3, False, False, id="no image"),
]


@pytest.mark.parametrize(("shape", "kernel_size", "shared", "last"), CASES)
def test_they_are_the_three_functions(
    kernels: ModuleType, shape: tuple[int, ...], kernel_size: int, shared: bool, last: bool
) -> None:
    torch.manual_seed(0)
    images, heads, _, height, width = shape
    weights = torch.randn(1 if shared else images, heads, kernel_size**2, height, width)
    x, y = torch.randn(2, *shape)
    if last:
        x, y, weights = (
            each.permute(0, 3, 4, 1, 2).contiguous().permute(0, 3, 4, 1, 2)
            for each in (x, y, weights)
        )
    pairs = [
        (kernels.summed(weights, x, kernel_size), plain(summed, weights, x, kernel_size)),
        (kernels.scattered(weights, y, kernel_size), plain(scattered, weights, y, kernel_size)),
        (kernels.dotted(y, x, kernel_size, shared), plain(dotted, y, x, kernel_size, shared)),
    ]
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(kernels: ModuleType, dtype: torch.dtype) -> None:
    weights = torch.ones(1, 1, 9, 3, 3, dtype=dtype)
    x = torch.full((1, 1, 1, 3, 3), 1 / 256, dtype=dtype)
    x[0, 0, 0, 0, 0] = 1.0
    found = kernels.summed(weights, x, 3)
    assert found.dtype is dtype
    exact = torch.tensor(1 + 8 / 256, dtype=torch.float64)
    assert abs(found[0, 0, 0, 1, 1].double() - exact) <= torch.finfo(dtype).eps / 2


def test_gradients_go_through_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, but for the device."""
    as_on_a_gpu(monkeypatch, "neighbourhood", "summed", "scattered", "dotted")
    torch.manual_seed(0)
    weights, x, y = torch.randn(1, 1, 9, 1, 2), *torch.randn(2, 2, 1, 2, 1, 2)
    found = []
    for path in ("plain", "fused"):
        maps = [each.clone().requires_grad_() for each in (weights, x, y)]
        with operators(path):  # type: ignore[arg-type]
            logits = neighbourhood_dot(maps[2], neighbourhood_sum(maps[0], maps[1], 3), 3)
        found.append(torch.autograd.grad(logits.square().sum(), maps))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
