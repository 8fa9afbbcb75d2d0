"""Real passes: they compute what the network computes, and order large differences of work.

No test knows how quick this machine is.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from space import Architecture
from space.geometry import MapSize
from tests.space.spaces import small
from trainers.latency import Effort, Latency, LatencySpec, MeterProcess, NotMeasured, parts_of
from trainers.latency.in_process import measure
from trainers.latency.part_modules import network_module
from trainers.latency.runtimes import make_pass, onnx_bytes

QUICK = Effort(runs=12, seconds=0.2, block_seconds=0.02, warm_seconds=0.1, attempts=1)


def wide(channels: int) -> torch.nn.Module:
    layers = [torch.nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3)]
    return torch.nn.Sequential(*layers)


@pytest.mark.thorough
def test_twenty_times_the_work_takes_longer() -> None:
    threads = torch.get_num_threads()
    little = measure(wide(8), LatencySpec(), (8, 24, 24), QUICK)
    much = measure(wide(96), LatencySpec(), (96, 24, 24), QUICK)
    assert torch.get_num_threads() == threads
    assert much.median_ms > 2 * little.median_ms
    assert little.n >= 10
    assert little.spec == LatencySpec().to_dict()
    assert little.gauge_ms is not None


def test_a_pass_is_in_evaluation_mode_and_without_gradients() -> None:
    seen: list[tuple[bool, bool, torch.dtype]] = []

    class Watched(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            last = x.is_contiguous(memory_format=torch.channels_last)
            seen.append((self.training or torch.is_grad_enabled(), last, x.dtype))
            y: torch.Tensor = self.layer(x)
            return y

    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        seen.clear()
        run = make_pass(Watched(), (2, 3, 8, 8), LatencySpec(precision=precision))
        assert run().milliseconds > 0
        assert seen == [(False, True, dtype)]


@pytest.mark.thorough
def test_a_process_measures_networks_and_parts_and_says_what_does_not_run() -> None:
    first = next(iter(small().enumerate()))
    with MeterProcess(LatencySpec(), effort=QUICK) as meter:
        (figure,) = meter.networks([first])
        part = next(iter(parts_of(first)))
        nowhere = replace(part, size=MapSize(1 << 40, 1 << 40))
        of_part, failed = meter.parts([part, nowhere])
        assert isinstance(failed, NotMeasured)
        assert isinstance(of_part, Latency)
        assert figure.device == meter.device.to_dict()
        assert 0 < of_part.median_ms < 50 * figure.median_ms
        meter._process.kill()
        with pytest.raises(NotMeasured, match="ended with"):
            meter.networks([first])


@pytest.mark.slow
@pytest.mark.parametrize("block_type", ["conv", "prenorm"])
def test_the_exported_network_computes_the_same(block_type: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    architecture: Architecture = next(iter(small(block_type=block_type).enumerate()))
    network, shape = network_module(architecture)
    x = torch.randn(3, *shape)
    session = runtime.InferenceSession(onnx_bytes(network, (1, *shape)))
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    with torch.inference_mode():
        expected = network(x).numpy()
    assert np.abs(found - expected).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnxruntime", "compile"])
def test_other_runtimes_run(runtime: str) -> None:
    pytest.importorskip("onnxruntime" if runtime == "onnxruntime" else "torch")
    architecture = next(iter(small().enumerate()))
    with MeterProcess(LatencySpec(runtime=runtime), effort=QUICK) as meter:
        (figure,) = meter.networks([architecture])
    assert figure.spec["runtime"] == runtime
    assert figure.median_ms > 0
