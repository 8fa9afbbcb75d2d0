"""What is asked of a GPU, with torch's calls noted: no test of these needs one."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.trainers.tiny import training
from trainers import memory, processes, throughput_probe
from trainers.memory import forget_peak, peak_memory
from trainers.processes import PATIENCE, Processes, join
from trainers.seeds import seeded

GPU = torch.device("cuda:1")

# --- memory ---------------------------------------------------------------------------------------


def test_the_peak_of_a_gpu_is_torchs(monkeypatch: pytest.MonkeyPatch) -> None:
    reset: list[Any] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", {GPU: 123}.__getitem__)
    forget_peak(GPU)
    assert reset == [GPU]
    assert peak_memory(GPU) == 123


def test_the_peak_of_a_process_is_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu = torch.device("cpu")
    clear, status = tmp_path / "clear_refs", tmp_path / "status"
    monkeypatch.setattr(memory, "_CLEAR", clear)
    monkeypatch.setattr(memory, "_STATUS", status)
    used = {memory.resource.RUSAGE_SELF: SimpleNamespace(ru_maxrss=7)}
    monkeypatch.setattr(memory.resource, "getrusage", used.__getitem__)
    forget_peak(cpu)
    assert clear.read_text() == "5"
    assert peak_memory(cpu) == 7 * 1024, "where there is no such file"
    status.write_text("Name:\tpython\nVmPeak:\t 99 kB\nVmHWM:\t 12 kB\nVmRSS:\t 3 kB\n")
    assert peak_memory(cpu) == 12 * 1024
    status.write_text("Name:\tpython\n")
    assert peak_memory(cpu) == 7 * 1024
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "no" / "folder")
    forget_peak(cpu)


# --- processes ------------------------------------------------------------------------------------


def test_gpus_meet_by_nccl_and_cpus_by_gloo(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: calls.append(device))
    monkeypatch.setattr(
        torch.distributed, "init_process_group", lambda *a, **k: calls.append((a, k))
    )
    met = {"store": "a place", "rank": 1, "world_size": 3, "timeout": PATIENCE}
    for device, number in (("cuda:1", GPU), ("cuda", 0)):
        assert join(1, 3, "a place", device) == Processes(1, 3)
        assert calls == [number, (("nccl",), met)]
        calls.clear()
    assert join(1, 3, "a place", "cpu") == Processes(1, 3)
    assert calls == [(("gloo",), met)]


def test_values_are_those_of_the_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Tensor, int]] = []
    monkeypatch.setattr(torch.distributed, "broadcast", lambda *pair: given.append(pair))
    values = [torch.zeros(1), torch.ones(2)]
    Processes(0, 1).from_first(values)
    assert given == []
    Processes(1, 2).from_first(values)
    assert [
        (each is value, source) for (each, source), value in zip(given, values, strict=True)
    ] == [
        (True, 0),
        (True, 0),
    ]


def test_sums_means_and_maxima_are_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here of three, each of which has the same value."""
    asked: list[Any] = []

    def reduce(value: Tensor, how: Any) -> None:
        asked.append(how)
        value.mul_(3 if how == torch.distributed.ReduceOp.SUM else 1)

    monkeypatch.setattr(torch.distributed, "all_reduce", reduce)
    value = torch.tensor([2.0, 4.0], requires_grad=True)
    three, alone = Processes(1, 3), Processes()
    assert three.sum(value).tolist() == [6.0, 12.0]
    assert three.mean(value).tolist() == [2.0, 4.0]
    assert three.maximum(value).tolist() == [2.0, 4.0]
    summed, largest = torch.distributed.ReduceOp.SUM, torch.distributed.ReduceOp.MAX
    assert asked == [summed, summed, largest]
    assert value.tolist() == [2.0, 4.0]
    assert not three.mean(value).requires_grad
    asked.clear()
    assert alone.sum(value) is alone.maximum(value) is value
    assert alone.mean(value).tolist() == [2.0, 4.0]
    assert asked == []


def test_a_model_of_several_processes_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        processes.nn.parallel, "DistributedDataParallel", lambda *a, **k: made.append((a, k))
    )
    model = torch.nn.Linear(2, 2)
    assert Processes(0, 1).joined(model, GPU) is model
    Processes(0, 2).joined(model, GPU)
    Processes(0, 2).joined(model, torch.device("cpu"))
    assert made == [((model,), {"device_ids": [GPU]}), ((model,), {"device_ids": None})]


# --- seeds and clocks -----------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [True, False])
def test_generators_of_gpus_come_back_where_there_are_some(
    begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored: list[Any] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: begun)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: ["a state"])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", restored.append)
    before = torch.get_rng_state()
    with seeded(3):
        drawn = torch.rand(3)
        assert restored == []
    assert restored == ([["a state"]] if begun else [])
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(3):
        assert torch.equal(torch.rand(3), drawn)


def test_a_gpu_is_waited_for_before_the_clock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps of which the first does not count, in two seconds by the clock."""
    found = training(epochs=1)
    waits: list[torch.device] = []
    seconds = iter([10.0, 11.0, 12.0, 12.0])
    kind = SimpleNamespace(type="cuda")
    monkeypatch.setattr(found, "device", kind)
    monkeypatch.setattr(throughput_probe.torch, "arange", _on_cpu(torch.arange))
    monkeypatch.setattr(Tensor, "to", _on_cpu(Tensor.to))
    monkeypatch.setattr(throughput_probe, "forward", lambda model, images, *_: model(images))
    monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
    monkeypatch.setattr(throughput_probe.time, "perf_counter", lambda: next(seconds))
    monkeypatch.setattr(throughput_probe, "_SECONDS", 1.5)
    count = min(64, throughput_probe._MOST_IMAGES.get("cuda", 16))
    assert throughput_probe._network_rate(found) == count * 2 / 2.0
    assert waits == [kind] * 3


def _on_cpu(function: Any) -> Any:
    """The same, on the CPU whatever is asked for."""

    def called(*arguments: Any, **options: Any) -> Any:
        kept = [each for each in arguments if not isinstance(each, SimpleNamespace)]
        return function(*kept, **{k: v for k, v in options.items() if k != "device"})

    return called
