"""What a pass and the gauge do, on which device, by which runtime; the clock is made up."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from tests.support.made_up_meter import figure
from trainers import latency
from trainers.latency import Effort, Latency, LatencySpec, in_process, runtimes
from trainers.latency.device import identify
from trainers.latency.figure import Run
from trainers.latency.in_process import measure
from trainers.latency.measuring import NETWORK, Pass
from trainers.latency.runtimes import make_gauge, make_pass, onnx_bytes, set_threads, timed

CPU, GPU = LatencySpec(batch=2), LatencySpec(device="cuda:1", batch=2)


class Called(TorchDispatchMode):
    """Notes the operators that are called, with the sizes and the device of what they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[int, ...], str]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        first = next((each for each in args if isinstance(each, Tensor)), None)
        if first is not None:
            name = func._overloadpacket.__name__
            self.calls.append((name, tuple(first.shape), first.device.type))
        return func(*args, **(kwargs or {}))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The device "meta" in the place of a GPU; the waits for it."""
    waits: list[str] = []
    real = torch.device
    given = {"cuda:1": "meta", "cpu": "cpu"}
    monkeypatch.setattr(runtimes.torch, "device", lambda name: real(given[name]))
    monkeypatch.setattr(runtimes.torch.cuda, "synchronize", lambda: waits.append("wait"))
    return waits


def test_a_pass_takes_from_the_call_until_all_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    clock = iter([100.0, 100.25, 200.0, 200.5])
    counts = iter([5, 5, 5, 6])

    def now() -> float:
        order.append("clock")
        return next(clock)

    monkeypatch.setattr(runtimes.time, "perf_counter", now)
    monkeypatch.setattr(runtimes, "interruptions", lambda: next(counts))
    once = timed(lambda: order.append("run"), lambda: order.append("wait"))
    assert once() == Run(250.0, False)
    assert order == ["wait", "clock", "run", "wait", "clock"]
    assert once() == Run(500.0, True)


def test_interruptions_are_those_that_the_system_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    of = {runtimes.RUSAGE_SELF: SimpleNamespace(ru_nivcsw=17)}
    monkeypatch.setattr(runtimes, "getrusage", of.__getitem__)
    assert runtimes.interruptions() == 17


def test_the_gauge_is_the_same_work_each_time() -> None:
    run = make_gauge(CPU)
    with Called() as called:
        assert run().milliseconds > 0
    product, copy = ("mm", (192, 192), "cpu"), ("copy_", (1 << 20,), "cpu")
    assert called.calls == [product] * 6 + [copy]


def test_the_gauge_of_a_gpu_is_larger_and_waited_for(gpu: list[str]) -> None:
    run = make_gauge(GPU)
    with Called() as called:
        run()
    product, copy = ("mm", (2048, 2048), "meta"), ("copy_", (1 << 26,), "meta")
    assert called.calls == [product] * 6 + [copy]
    assert gpu == ["wait", "wait"]


def test_a_pass_on_a_gpu_is_waited_for(gpu: list[str]) -> None:
    layer = nn.Linear(3, 2)
    run = make_pass(layer, (2, 3), GPU)
    assert gpu == []
    with Called() as called:
        run()
    assert gpu == ["wait", "wait"]
    assert {device for _, _, device in called.calls} == {"meta"}
    assert not any(weight.requires_grad for weight in layer.parameters())


def test_a_pass_is_compiled_for_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[Any] = []

    def compiled(module: nn.Module, **options: Any) -> Callable[[Tensor], Any]:
        types = {weight.dtype for weight in module.parameters()}
        order.append((module.training, types, options))
        return lambda x: order.append((tuple(x.shape), x.dtype, torch.is_inference_mode_enabled()))

    monkeypatch.setattr(runtimes.torch, "compile", compiled)
    monkeypatch.setattr(runtimes.torch.compiler, "reset", lambda: order.append("reset"))
    spec = LatencySpec(runtime="compile", precision="bfloat16")
    run = make_pass(nn.Linear(3, 2), (4, 3), spec)
    assert order == ["reset", (False, {torch.bfloat16}, {"dynamic": False})]
    run()
    assert order[2:] == [((4, 3), torch.bfloat16, True)]
    make_pass(nn.Linear(3, 2), (4, 3), LatencySpec())
    assert len(order) == 3


class Session:
    """ONNX Runtime in small: notes how it is opened and what it is given."""

    def __init__(self, model: bytes, options: Any, providers: list[Any]) -> None:
        self.model, self.options, self.providers = model, options, providers
        self.given: list[Any] = []
        sessions.append(self)

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="images")]

    def run(self, outputs: Any, feed: dict[str, Any]) -> None:
        self.given.append((outputs, feed))


sessions: list[Session] = []


@pytest.fixture
def onnx(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    sessions.clear()
    made = SimpleNamespace(InferenceSession=Session, SessionOptions=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "onnxruntime", made)
    monkeypatch.setattr(runtimes, "onnx_bytes", lambda module, shape: repr((module, shape)))
    return sessions


def test_a_session_has_the_threads_of_the_spec(onnx: list[Session]) -> None:
    layer = nn.Linear(3, 2)
    run = make_pass(layer, (2, 3), LatencySpec(runtime="onnxruntime", threads=3, batch=2))
    assert run().milliseconds > 0
    (session,) = onnx
    assert session.model == repr((layer, (2, 3)))
    assert session.providers == ["CPUExecutionProvider"]
    assert vars(session.options) == {
        "log_severity_level": 3,
        "intra_op_num_threads": 3,
        "inter_op_num_threads": 1,
    }
    ((outputs, feed),) = session.given
    assert outputs is None
    assert list(feed) == ["images"]
    assert (feed["images"].shape, feed["images"].dtype) == ((2, 3), np.float32)
    assert feed["images"].flags.c_contiguous


def test_a_session_on_a_gpu_names_it_before_the_cpu(onnx: list[Session], gpu: list[str]) -> None:
    make_pass(nn.Linear(3, 2), (2, 3), LatencySpec(device="cuda:1", runtime="onnxruntime"))()
    assert onnx[0].providers == [
        ("CUDAExecutionProvider", {"device_id": 1}),
        "CPUExecutionProvider",
    ]
    assert vars(onnx[0].options) == {"log_severity_level": 3}
    assert gpu == []


def test_an_onnx_model_takes_any_batch_and_prints_nothing(
    capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    onnx_library = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    layer = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))
    model = onnx_bytes(layer, (1, 3))
    assert (capsys.readouterr().out, len(recwarn)) == ("", 0)
    assert not layer.training
    (opset,) = onnx_library.load_from_string(model).opset_import
    assert opset.version == runtimes.OPSET
    session = runtime.InferenceSession(model)
    for batch in (1, 5):
        x = torch.randn(batch, 3)
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert np.abs(found - layer(x).numpy()).max() < 1e-6


def test_threads_are_set_where_a_spec_has_some() -> None:
    try:
        set_threads(LatencySpec(threads=2))
        assert torch.get_num_threads() == 2
        set_threads(GPU)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is measured in this process: the passes, the efforts, the gauges, the threads."""
    found: list[Any] = []

    def made(network: nn.Module, shape: tuple[int, ...], spec: LatencySpec) -> Pass:
        found.append((network, shape, spec))
        return lambda: Run(4.0)

    def in_turns(passes: list[Pass], effort: Effort, *, gauge: Pass) -> list[Latency]:
        found.append((effort, gauge(), torch.get_num_threads()))
        return [figure(run().milliseconds) for run in passes]

    def made_gauge(spec: LatencySpec) -> Pass:
        found.append(spec)
        return lambda: Run(9.0)

    monkeypatch.setattr(in_process, "make_pass", made)
    monkeypatch.setattr(in_process, "make_gauge", made_gauge)
    monkeypatch.setattr(in_process, "measure_in_turns", in_turns)
    return found


def test_a_module_is_measured_in_this_process(turns: list[Any]) -> None:
    layer, spec = nn.Linear(3, 2), LatencySpec(batch=5)
    found = measure(layer, spec, (1, 8, 8))
    assert turns == [(layer, (5, 1, 8, 8), spec), spec, (NETWORK, Run(9.0), 1)]
    assert (found.median_ms, found.spec) == (4.0, spec.to_dict())
    assert found.device == identify(spec).to_dict()


def test_the_threads_of_the_process_come_back(
    turns: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency.device, "cores", lambda: 3)
    effort, spec = Effort(runs=3), LatencySpec(threads=3)
    measure(nn.Linear(3, 2), spec, (3,), effort)
    assert turns[-1] == (effort, Run(9.0), 3)
    assert torch.get_num_threads() == 1

    def broken(*_: Any) -> Pass:
        raise MemoryError

    monkeypatch.setattr(in_process, "make_pass", broken)
    with pytest.raises(MemoryError):
        measure(nn.Linear(3, 2), spec, (3,))
    assert torch.get_num_threads() == 1


def test_what_needs_torch_is_imported_when_it_is_asked_for() -> None:
    assert latency.measure is measure
    with pytest.raises(AttributeError, match=r"^module 'trainers\.latency' has no attribute 'x'$"):
        latency.x  # noqa: B018
