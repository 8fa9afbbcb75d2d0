"""Runs a module once and times it: eager torch, torch.compile, ONNX Runtime."""

import contextlib
import io
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trainers.export.onnx_file import OPSET
from trainers.initial_weights import to_device
from trainers.latency.figure import Run
from trainers.latency.measuring import Pass
from trainers.latency.spec import LatencySpec

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # no such count on Windows: nothing is left out there

    def interruptions() -> int:
        """How often the system took a CPU from this process for another one."""
        return 0
else:

    def interruptions() -> int:
        """How often the system took a CPU from this process for another one."""
        return getrusage(RUSAGE_SELF).ru_nivcsw


TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def make_pass(module: nn.Module, shape: tuple[int, ...], spec: LatencySpec) -> Pass:
    """What runs the module once on random input of a shape, and times it.

    The module becomes one for inference on the device of the spec, in its precision and, as our
    networks are trained, in channels_last. What compiles or exports does so now or in the first
    runs, which are the warm-up.

    Args:
        module: takes one tensor. shape: of the tensor, the batch included.
    """
    device = torch.device(spec.device)
    example = torch.randn(shape).to(TYPES[spec.precision])
    if spec.runtime == "onnxruntime":
        return timed(_session(module, example, spec), lambda: None)
    module = to_device(module.to(TYPES[spec.precision]).eval(), device).requires_grad_(False)
    x = _in_channels_last(example.to(device))
    if spec.runtime == "compile":
        torch.compiler.reset()
        # Another size shall be compiled for its own, as it is where it stands alone.
        module = torch.compile(module, dynamic=False)  # type: ignore[assignment]
    synchronise: Callable[[], None] = torch.cuda.synchronize if spec.is_gpu else lambda: None
    return timed(_in_inference_mode(module, x), synchronise)


def _in_channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


def _in_inference_mode(module: nn.Module, x: Tensor) -> Callable[[], Any]:
    def run() -> Any:
        with torch.inference_mode():
            return module(x)

    return run


def timed(run: Callable[[], Any], synchronise: Callable[[], None]) -> Pass:
    """Wall time from the call to the end of all that it began, as a caller waits for it."""

    def once() -> Run:
        synchronise()
        before, started = interruptions(), time.perf_counter()
        run()
        synchronise()
        milliseconds = 1000 * (time.perf_counter() - started)
        return Run(milliseconds, interruptions() > before)

    return once


def onnx_bytes(module: nn.Module, shape: tuple[int, ...]) -> bytes:
    """The module as an ONNX model as it is exported for others: any batch, the same opset.

    Args:
        module: takes one tensor. shape: of the tensor, the batch included.
    """
    module = module.eval().requires_grad_(False)
    free = ({0: torch.export.Dim("batch", min=1, max=2**16)},)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporter, on its own inner life
        example = torch.zeros(2, *shape[1:])  # a batch of one would stay one
        program = torch.export.export(module, (example,), dynamic_shapes=free)
        made = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
    assert made is not None
    model: bytes = made.model_proto.SerializeToString()
    return model


def _session(module: nn.Module, example: Tensor, spec: LatencySpec) -> Callable[[], Any]:
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if spec.is_gpu:
        number = int(spec.device.removeprefix("cuda:"))
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number}))  # type: ignore[arg-type]
    else:
        options.intra_op_num_threads, options.inter_op_num_threads = spec.threads or 1, 1
    model = onnx_bytes(module, tuple(example.shape))
    session = runtime.InferenceSession(model, options, providers=providers)
    feed = {session.get_inputs()[0].name: np.ascontiguousarray(example.numpy())}
    return lambda: session.run(None, feed)


def make_gauge(spec: LatencySpec) -> Pass:
    """A fixed computation that tells the pace of the device: products in the cache, and a copy.

    Some milliseconds on a CPU. It is torch's, whatever the runtime, and in float32.
    """
    device = torch.device(spec.device)
    edge, length = (2048, 1 << 26) if spec.is_gpu else (192, 1 << 20)
    square = torch.full((edge, edge), 1e-3, device=device)
    source = torch.zeros(length, device=device)
    target = torch.empty_like(source)

    def run() -> None:
        for _ in range(6):
            torch.mm(square, square)
        target.copy_(source)

    synchronise: Callable[[], None] = torch.cuda.synchronize if spec.is_gpu else lambda: None
    return timed(run, synchronise)


def set_threads(spec: LatencySpec) -> None:
    """Give torch the threads of the spec; of a whole process, so only one of our own is told."""
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
