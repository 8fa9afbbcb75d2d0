"""What a spec is, and what this machine refuses."""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from space.errors import InputError
from trainers.latency import LatencySpec, cautions, device, refuse_missing
from trainers.latency.device import identify
from trainers.latency.spec import digest


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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"device": "tpu"}, "device: must be cpu, cuda, or cuda: and a number; got 'tpu'"),
        (
            {"runtime": "onnxruntime", "precision": "bfloat16"},
            "precision: must be float32 with onnxruntime; got bfloat16",
        ),
        ({"precision": "float16"}, "precision: float16 needs a GPU; allowed: float32, bfloat16"),
        ({"device": "cuda", "threads": 2}, "threads: is for a CPU; the device is cuda:0"),
    ],
)
def test_a_refusal_says_what_is_allowed(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        LatencySpec.from_dict(values, "speed")
    assert str(refused.value) == f"speed.{said}"


def test_a_digest_is_of_the_values_in_any_order() -> None:
    plain = '{"a":[1,"\u00e9"],"b":null}'
    expected = hashlib.sha256(plain.encode()).hexdigest()[:16]
    assert digest({"b": None, "a": [1, "\u00e9"]}) == expected


def test_words_of_a_spec() -> None:
    assert LatencySpec().words == "batch 1, float32, eager, 1 thread"
    spec = LatencySpec(device="cuda", machine="left-1", precision="float16", runtime="compile")
    assert spec.words == "batch 1, float16, compile, machine left-1"


def refused(spec: LatencySpec) -> str:
    with pytest.raises(InputError) as error:
        refuse_missing(spec)
    return str(error.value)


def test_what_this_machine_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(LatencySpec(device="cuda:99")).startswith("latency.device: this machine has no")
    assert "the cores here; got 1024" in refused(LatencySpec(threads=1024))
    monkeypatch.setattr(device, "find_spec", lambda name: None if "onnx" in name else object())
    said = refused(LatencySpec(runtime="onnxruntime"))
    install = "pip install 'mixspace[export]'"
    missing = "onnx, onnxruntime, onnxscript"
    assert said == f"latency.runtime: onnxruntime needs {missing}: {install}"
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


def test_words_of_a_device() -> None:
    mine = device.DeviceIdentity("A CPU", "Linux x86_64", 1, {"torch": "2.1", "onnx": "3"})
    assert mine.words == "A CPU, 1 core, Linux x86_64; torch 2.1, onnx 3"
    assert replace(mine, cores=2).words.startswith("A CPU, 2 cores, Linux")
    assert replace(mine, cores=0).words.startswith("A CPU, Linux")


class Elsewhere:
    """Another machine: files below a folder."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        monkeypatch.setattr(device, "Path", lambda path: root / path.lstrip("/"))

    def write(self, path: str, text: str) -> None:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    return Elsewhere(tmp_path, monkeypatch)


def test_a_gpu_is_known_by_its_driver(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda name: f"A GPU ({name})")
    monkeypatch.setattr(torch.version, "cuda", "13.1")
    spec = LatencySpec(device="cuda:1")
    versions = {"torch": torch.__version__, "cuda": "13.1"}
    expected = device.DeviceIdentity("A GPU (cuda:1)", "driver unknown", 0, versions)
    assert identify(spec) == expected
    elsewhere.write("/sys/module/nvidia/version", "580.1\n")
    assert identify(spec) == replace(expected, driver="driver 580.1")
    message = "latency.device: this machine has no cuda:2; allowed here: cpu, cuda:0, cuda:1"
    assert refused(LatencySpec(device="cuda:2")) == message
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = "latency.device: this machine has no cuda:0; allowed here: cpu"
    assert refused(LatencySpec(device="cuda:0")) == message


CPU_INFO = """model name : A CPU
cpu family	: 25
stepping: 3
flags : a: b
model:

model name: the second
model: 9
"""


def test_a_cpu_is_known_by_what_it_says_of_itself(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.platform, "system", lambda: "BeOS")
    monkeypatch.setattr(device.platform, "machine", lambda: "m68k")
    monkeypatch.setattr(device.platform, "processor", lambda: "Motorola")
    assert (identify(LatencySpec()).name, identify(LatencySpec()).driver) == (
        "Motorola",
        "BeOS m68k",
    )
    monkeypatch.setattr(device.platform, "processor", lambda: "")
    assert identify(LatencySpec()).name == "m68k"
    elsewhere.write("/proc/cpuinfo", CPU_INFO)
    assert identify(LatencySpec()).name == "A CPU (family 25, model , stepping 3)"
    assert device._cpu_info()["flags"] == "a: b"


def test_a_setting_is_its_spec_and_its_device() -> None:
    spec = LatencySpec(batch=3)
    mine = device.DeviceIdentity("A CPU", "Linux", 1, {"torch": "2.1"})
    whole = {"spec": spec.to_dict(), "device": mine.to_dict()}
    assert device.setting_id(spec, mine) == digest(whole)
    other = {"spec": LatencySpec(threads=2).to_dict(), "device": mine.to_dict(), "more": 1}
    assert device.setting_differences(whole, other) == [
        "more 1, and here None",
        "batch 1, and here 3",
        "threads 2, and here 1",
    ]
    assert device.setting_differences({"device": {"cores": 1}}, {"device": "unknown"}) == [
        "device 'unknown', and here {'cores': 1}"
    ]


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    bound = {0: {3, 5, 7}}
    monkeypatch.setattr(device.os, "sched_getaffinity", bound.__getitem__, raising=False)
    monkeypatch.setattr(device.os, "cpu_count", lambda: 64)
    assert device.cores() == 3


def test_cores_where_no_process_is_bound_to_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(device.os, "sched_getaffinity", raising=False)
    for said, expected in ((6, 6), (None, 1)):
        monkeypatch.setattr(device.os, "cpu_count", lambda said=said: said)
        assert device.cores() == identify(LatencySpec()).cores == expected
    message = "latency.threads: must be at most 1, the cores here; got 2"
    assert refused(LatencySpec(threads=2)) == message
    refuse_missing(LatencySpec(threads=1))


def test_all_libraries_of_a_runtime_have_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "onnxscript":
            raise device.PackageNotFoundError
        return f"{package} 1"

    monkeypatch.setattr(device, "version", version)
    monkeypatch.setattr(device, "find_spec", lambda name: object())
    assert identify(LatencySpec()).versions == {"torch": "torch 1"}
    assert identify(LatencySpec(runtime="onnxruntime")).versions == {
        "torch": "torch 1",
        "onnx": "onnx 1",
        "onnxruntime": "onnxruntime 1",
        "onnxscript": "unknown",
    }


def test_an_onnx_runtime_without_cuda_measures_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    offered = ["CPUExecutionProvider"]
    runtime = SimpleNamespace(get_available_providers=lambda: offered)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(device, "find_spec", lambda name: object())
    monkeypatch.setattr(device, "import_module", {"onnxruntime": runtime}.__getitem__)
    spec = LatencySpec(device="cuda", runtime="onnxruntime")
    message = "the ONNX Runtime installed here has no CUDA: install onnxruntime-gpu"
    assert refused(spec) == f"latency.runtime: {message}"
    refuse_missing(LatencySpec(runtime="onnxruntime"))
    offered.append("CUDAExecutionProvider")
    refuse_missing(spec)


def test_a_gpu_needs_no_compiler_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    found: list[str] = []
    monkeypatch.setattr(device.shutil, "which", lambda name: name if name in found else None)
    monkeypatch.delenv("CXX", raising=False)
    refuse_missing(LatencySpec(device="cuda", runtime="compile"))
    message = "compile needs a C++ compiler here (g++ or clang++); none found"
    spec = LatencySpec(runtime="compile")
    assert refused(spec) == f"latency.runtime: {message}"
    monkeypatch.setenv("CXX", "mine")
    assert message in refused(spec)
    for found[:] in (["g++"], ["clang++"], ["mine"]):
        refuse_missing(spec)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (3, "device: must have name, driver, cores, versions"),
        ({"name": "a"}, "device: must have name, driver, cores, versions"),
        (
            {"name": 1, "driver": "a", "cores": "2", "versions": {}},
            "device.name: is of another type\ndevice.cores: is of another type",
        ),
    ],
)
def test_what_is_no_device_is_refused(values: Any, said: str) -> None:
    with pytest.raises(InputError) as error:
        device.DeviceIdentity.from_dict(values)
    assert "\n".join(f"{p.where}: {p.message}" for p in error.value.problems) == said
