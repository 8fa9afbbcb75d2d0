"""Depth-wise convolution for GPUs, in Triton's interpreter: the same as PyTorch's own."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import grad

from space.operator_choice import operators
from space.operators.depthwise import depthwise_convolved
from tests.space.interpreted import as_on_a_gpu, interpreted


@pytest.fixture(scope="module")
def kernels() -> ModuleType:
    return interpreted("depthwise")


def convolved(kernels: Tensor, x: Tensor) -> Tensor:
    """By one convolution of all images' channels."""
    images, channels, size = *x.shape[:2], kernels.shape[3]
    each = kernels.expand(images, -1, -1, -1).reshape(images * channels, 1, size, size)
    flat = x.reshape(1, images * channels, *x.shape[2:])
    return F.conv2d(flat, each, padding=size // 2, groups=images * channels).reshape(x.shape)


CASES = [
    pytest.param((2, 3, 3, 4), 3, False, False, id="an odd map"),
    pytest.param((1, 2, 1, 3), 5, True, False, id="a kernel above the map"),
    pytest.param((2, 2, 4, 3), 3, True, True, id="shared by all images, channels last"),
    pytest.param((2, 33, 2, 2), 1, False, True, id="more channels than a program has"),
    pytest.param((1, 2, 13, 12), 3, True, False, id="more positions than a program has"),
    pytest.param((1, 1, 3, 2), 9, False, False, id="the largest by number"),
    pytest.param((2, 2, 5, 6), 11, False, True, id="tensor cores, an image's own kernels"),
    pytest.param((3, 2, 5, 6), 13, True, False, id="tensor cores, shared by all images"),
    pytest.param((1, 1, 35, 2), 11, True, False, id="more rows than a program has"),
    pytest.param((2, 1, 2, 40), 13, False, False, id="more columns than a program has"),
    pytest.param((2, 1, 4, 5), 31, True, True, id="a large kernel far above the map"),
    pytest.param((1, 1, 18, 18), 33, True, False, id="more taps a row than a block of a matrix"),
]


@pytest.mark.parametrize(("shape", "kernel_size", "shared", "last"), CASES)
def test_they_are_the_three_functions(
    kernels: ModuleType, shape: tuple[int, ...], kernel_size: int, shared: bool, last: bool
) -> None:
    torch.manual_seed(0)
    taps = torch.randn(1 if shared else shape[0], shape[1], kernel_size, kernel_size)
    x, y = torch.randn(2, *shape)
    if last:
        x, y = (each.contiguous(memory_format=torch.channels_last) for each in (x, y))
    inputs = taps.clone().requires_grad_(), x.clone().requires_grad_()
    expected = convolved(*inputs)
    to_taps, to_x = grad(expected, inputs, y)
    pairs = [
        (kernels.summed(taps, x, kernel_size), expected),
        (kernels.transposed(taps, y, kernel_size), to_x),
        (kernels.multiplied(y, x, kernel_size, shared), to_taps),
    ]
    for found, wanted in pairs:
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kernel_size", [3, 11])
def test_no_images_give_nothing(kernels: ModuleType, kernel_size: int) -> None:
    x = torch.empty(0, 2, 3, 3)
    taps = torch.ones(1, 2, kernel_size, kernel_size)
    assert kernels.summed(taps, x, kernel_size).shape == x.shape
    assert kernels.transposed(taps, x, kernel_size).shape == x.shape
    found = kernels.multiplied(x, x, kernel_size, True)
    assert torch.equal(found, torch.zeros_like(taps))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kernel_size", [3, 11])
def test_half_precision_is_summed_in_float32(
    kernels: ModuleType, dtype: torch.dtype, kernel_size: int
) -> None:
    """1 and eight times 1/256, which bfloat16 would lose one by one."""
    taps = torch.zeros(1, 1, kernel_size, kernel_size, dtype=dtype)
    middle = kernel_size // 2
    taps[..., middle - 1 : middle + 2, middle - 1 : middle + 2] = 1
    x = torch.full((1, 1, 3, 3), 1 / 256, dtype=dtype)
    x[0, 0, 0, 0] = 1.0
    exact = torch.tensor(1 + 8 / 256, dtype=torch.float64)
    ones = torch.ones_like(x)
    found = [
        kernels.summed(taps, x, kernel_size)[0, 0, 1, 1],
        kernels.transposed(taps, x, kernel_size)[0, 0, 1, 1],
        kernels.multiplied(ones, x, kernel_size, True)[0, 0, middle, middle],
    ]
    for each in found:
        assert each.dtype is dtype
        assert abs(each.double() - exact) <= torch.finfo(dtype).eps / 2


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("kernel_size", [3, 11])
def test_derivatives_of_derivatives_go_through_them(
    monkeypatch: pytest.MonkeyPatch, own: bool, kernel_size: int
) -> None:
    """As on a GPU, but for the device."""
    as_on_a_gpu(monkeypatch, "depthwise", "summed", "transposed", "multiplied")
    torch.manual_seed(0)
    weights = torch.randn(*((2,) if own else ()), 2, 1, kernel_size, kernel_size)
    x, found = torch.randn(2, 2, 2, 3), []
    for path in ("plain", "fused"):
        maps = [each.clone().requires_grad_() for each in (x, weights)]
        with operators(path):  # type: ignore[arg-type]
            y = depthwise_convolved(*maps)
            first = grad(y.pow(3).sum(), maps, create_graph=True)
            second = grad(sum(each.square().sum() for each in first), maps)
        found.append([y, *first, *second])
    for one, other in zip(*found, strict=True):
        scale = other.abs().max()
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=1e-5)


COMPILED = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from space.operators.depthwise import triton_kernels as kernels

def instructions(name, **constants):
    function = getattr(kernels, name)
    names = [each for each in function.arg_names if each not in constants]
    types = {each: "*bf16" if place < 3 else "i32" for place, each in enumerate(names)}
    types |= {"products": "*fp32"} if "products" in types else {}
    types |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(function, types, constants)
    return triton.compile(source, target=GPUTarget("cuda", 80, 32)).asm["ptx"]

for name in ("_sum_by_number", "_product_by_number"):
    assert "fma" in instructions(name, KERNEL=7, POSITIONS=128, CHANNELS=32)
for name, sizes in (
    ("_sum_by_toeplitz", {"ROWS": 64, "COLUMNS": 32}),
    ("_product_by_matrices", {"TAPS": 32, "POSITIONS": 64}),
):
    how = {"KERNEL": 31, "PRECISION": "ieee", "INTERPRETED": False}
    assert "mma.sync" in instructions(name, **how, **sizes)
"""


@pytest.mark.thorough
def test_they_are_compiled_for_gpus_with_tensor_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For an A100, which need not be here."""
    pytest.importorskip("triton", reason="no Triton here: pip install triton")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    subprocess.run([sys.executable, "-c", COMPILED], check=True)
