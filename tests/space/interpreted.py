"""Triton's kernels in its interpreter, which runs them on CPU tensors."""

import os
from importlib import import_module
from types import ModuleType

import pytest


def interpreted(name: str) -> ModuleType:
    """The Triton kernels of an operator; the test is skipped where they cannot be interpreted."""
    pytest.importorskip("triton", reason="no Triton here: pip install triton")
    if os.environ.get("TRITON_INTERPRET") != "1":
        pytest.skip("on a GPU the kernels are tried as they are: pytest -m gpu")
    return import_module(f"space.operators.{name}.triton_kernels")


def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch, name: str, *functions: str) -> None:
    """CPU tensors go through these functions, whether there is a compiler or not."""
    kernels = interpreted(name)
    for each in functions:
        monkeypatch.setattr(f"space.operators.{name}.native.{each}", getattr(kernels, each))
    monkeypatch.setattr("space.operators.kernel_dispatch._kernels", lambda kind, source: True)
