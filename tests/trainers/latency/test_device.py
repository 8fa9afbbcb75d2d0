"""What a spec is, and what this machine refuses."""

from typing import Any

import pytest

from space.errors import InputError
from trainers.latency import LatencySpec, cautions, device, refuse_missing
from trainers.latency.device import identify


def test_defaults_are_written_out() -> None:
    assert LatencySpec().to_dict() == {
        "device": "cpu",
        "batch": 1,
        "precision": "float32",
        "runtime": "eager",
        "threads": 1,
    }
    assert LatencySpec(device="cuda").to_dict()["device"] == "cuda:0"
    assert LatencySpec(device="cuda:1").threads is None
    assert LatencySpec(threads=2).words == "batch 1, float32, eager, 2 threads"
    spec = LatencySpec(device="cuda", precision="bfloat16", batch=8)
    assert LatencySpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"device": "tpu"}, "latency.device"),
        ({"device": "cuda:x"}, "latency.device"),
        ({"batch": 0}, "latency.batch"),
        ({"batch": True}, "latency.batch"),
        ({"precision": "int8"}, "latency.precision"),
        ({"precision": "float16"}, "latency.precision"),
        ({"runtime": "onnxruntime", "precision": "bfloat16"}, "latency.precision"),
        ({"runtime": "tensorrt"}, "latency.runtime"),
        ({"device": "cuda", "threads": 2}, "latency.threads"),
        ({"speed": 1}, "latency.speed"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        LatencySpec.from_dict(values)
    assert [problem.where for problem in refused.value.problems] == [where]


def refused(spec: LatencySpec) -> str:
    with pytest.raises(InputError) as error:
        refuse_missing(spec)
    return str(error.value)


def test_what_this_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(LatencySpec(device="cuda:99")).startswith("latency.device: this machine has no")
    assert "the cores here; got 1024" in refused(LatencySpec(threads=1024))
    monkeypatch.setattr(device, "find_spec", lambda name: None if "onnx" in name else object())
    said = refused(LatencySpec(runtime="onnxruntime"))
    assert "needs onnx, onnxruntime, onnxscript: pip install 'mixspace[export]'" in said
    monkeypatch.setattr(device.shutil, "which", lambda name: None)
    assert "needs a C++ compiler" in refused(LatencySpec(runtime="compile"))
    refuse_missing(LatencySpec())


def test_a_slow_precision_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = LatencySpec(precision="bfloat16")
    monkeypatch.setattr(device, "_cpu_info", lambda: {"flags": "avx2 fma"})
    assert "hundred times slower" in cautions(spec)[0]
    monkeypatch.setattr(device, "_cpu_info", lambda: {"flags": "avx512_bf16"})
    assert cautions(spec) == cautions(LatencySpec()) == []


def test_a_device_is_known_by_name_cores_and_versions() -> None:
    import torch

    mine = identify(LatencySpec())
    assert mine.name
    assert mine.cores >= 1
    assert mine.versions["torch"] == torch.__version__
    assert device.DeviceIdentity.from_dict(mine.to_dict()) == mine
