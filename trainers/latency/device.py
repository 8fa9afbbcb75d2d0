"""Which device this machine offers for a spec: its name, driver and versions, or a refusal."""

import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from space.errors import InputError, Problem, refuse
from trainers.latency.spec import LatencySpec, digest

_ONNX = ("onnx", "onnxruntime", "onnxscript")


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """What must be equal for two latencies to be of the same thing.

    Attributes:
        name: of the CPU or GPU.
        driver: of the GPU; of a CPU the operating system.
        cores: CPU cores that this process may use; 0 for a GPU.
        versions: of the libraries that run the network.
    """

    name: str
    driver: str
    cores: int
    versions: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return asdict(self) | {"versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, values: object, where: str = "device") -> "DeviceIdentity":
        """What `to_dict` made.

        Raises:
            InputError: for what is no such mapping.
        """
        fields = {"name": str, "driver": str, "cores": int, "versions": Mapping}
        if not isinstance(values, Mapping) or {*values} != {*fields}:
            raise InputError.of(where, f"must have {', '.join(fields)}")
        wrong = [name for name, kind in fields.items() if not isinstance(values[name], kind)]
        refuse(Problem(f"{where}.{name}", "is of another type") for name in wrong)
        return cls(**values)

    @property
    def words(self) -> str:
        """Such as "AMD EPYC (family 25, model 1), 2 cores, Linux x86_64; torch 2.13.0"."""
        cores = f", {self.cores} core" + ("s" if self.cores > 1 else "") if self.cores else ""
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return f"{self.name}{cores}, {self.driver}; {versions}"


def setting_id(spec: LatencySpec, device: DeviceIdentity) -> str:
    """The id of a spec on a device: latencies of equal ids compare."""
    return digest({"spec": spec.to_dict(), "device": device.to_dict()})


def setting_differences(mine: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What differs between two settings (mappings of "spec" and "device"), in words."""
    return list(_differences(mine, other))


def _differences(mine: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*mine, *other}):
        here, there = mine.get(name), other.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            yield from _differences(here, there)
        elif here != there:
            yield f"{name} {there!r}, and here {here!r}"


def refuse_missing(spec: LatencySpec, where: str = "latency") -> None:
    """Refuse a spec that this machine cannot measure; builds nothing.

    Raises:
        InputError: no such GPU, a runtime that is not installed, no compiler, more threads than
            cores.
    """
    refuse(Problem(f"{where}.{p.where}", p.message) for p in _missing(spec))


def _missing(spec: LatencySpec) -> Iterator[Problem]:
    if spec.is_gpu:
        yield from _missing_gpu(spec)
    elif (spec.threads or 1) > cores():
        yield Problem("threads", f"must be at most {cores()}, the cores here; got {spec.threads}")
    if spec.runtime == "onnxruntime":
        yield from _missing_onnx(spec)
    if spec.runtime == "compile" and not spec.is_gpu and not _has_compiler():
        yield Problem("runtime", "compile needs a C++ compiler here (g++ or clang++); none found")


def _missing_gpu(spec: LatencySpec) -> Iterator[Problem]:
    import torch

    number = int(spec.device.removeprefix("cuda:"))
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if number >= found:
        allowed = ", ".join(["cpu", *(f"cuda:{i}" for i in range(found))])
        yield Problem("device", f"this machine has no {spec.device}; allowed here: {allowed}")


def _missing_onnx(spec: LatencySpec) -> Iterator[Problem]:
    missing = [name for name in _ONNX if find_spec(name) is None]
    if missing:
        yield Problem(
            "runtime", f"onnxruntime needs {', '.join(missing)}: pip install 'mixspace[export]'"
        )
    elif spec.is_gpu:
        offered = import_module("onnxruntime").get_available_providers()
        if "CUDAExecutionProvider" not in offered:
            message = "the ONNX Runtime installed here has no CUDA: install onnxruntime-gpu"
            yield Problem("runtime", message)


def _has_compiler() -> bool:
    names = (os.environ.get("CXX"), "g++", "clang++")
    return any(shutil.which(name) for name in names if name)


def cautions(spec: LatencySpec) -> list[str]:
    """What a person should know of a spec that can be measured and may surprise."""
    flags = _cpu_info().get("flags", "")
    if not spec.is_gpu and spec.precision == "bfloat16" and "avx512_bf16" not in flags:
        return [
            "this CPU has no bfloat16 instructions: convolutions in bfloat16 are some hundred "
            "times slower than in float32"
        ]
    return []


def identify(spec: LatencySpec) -> DeviceIdentity:
    """The device that a spec is measured on here.

    Raises:
        InputError: as `refuse_missing` does.
    """
    refuse_missing(spec)
    return _gpu(spec) if spec.is_gpu else _cpu(spec)


def _gpu(spec: LatencySpec) -> DeviceIdentity:
    import torch

    name = torch.cuda.get_device_name(spec.device)
    versions = {**_versions(spec), "cuda": str(torch.version.cuda)}
    return DeviceIdentity(name, f"driver {_nvidia_driver()}", 0, versions)


def _nvidia_driver() -> str:
    """The version of the kernel module, which says it in a file; "unknown" elsewhere."""
    try:
        return Path("/sys/module/nvidia/version").read_text().strip()
    except OSError:
        return "unknown"


def _cpu(spec: LatencySpec) -> DeviceIdentity:
    info = _cpu_info()
    name = info.get("model name") or platform.processor() or platform.machine()
    kind = [f"{word} {info[key]}" for word, key in _KIND.items() if key in info]
    name += f" ({', '.join(kind)})" if kind else ""
    return DeviceIdentity(
        name, f"{platform.system()} {platform.machine()}", cores(), _versions(spec)
    )


_KIND = {"family": "cpu family", "model": "model", "stepping": "stepping"}
"""Clouds give many processors one name; these tell them apart."""


def _cpu_info() -> dict[str, str]:
    """The first processor of /proc/cpuinfo; empty on systems without it."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.split("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _versions(spec: LatencySpec) -> dict[str, str]:
    names = ("torch", *(_ONNX if spec.runtime == "onnxruntime" else ()))
    return {name: _version(name) for name in names}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
