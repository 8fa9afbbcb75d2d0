"""Where operators take kernels, and what is said where they do not; GPUs are made up."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from space.errors import InputError
from space.operator_choice import operators
from space.operators import kernel_dispatch, kernel_operators
from space.operators.kernel_dispatch import in_autocast, kernels_serve
from space.operators.kernel_operators import kernel_operator, refuse_unequal
from tests.space.interpreted import interpreted

SOURCE = "nowhere/native.cpp"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Kernels of every kind; who has asked for them."""
    asked: list[tuple[str, str]] = []

    def kernels(kind: str, source: str) -> bool:
        asked.append((kind, source))
        return True

    monkeypatch.setattr(kernel_dispatch, "_kernels", kernels)
    return asked


def on_gpu(dtype: torch.dtype) -> Any:
    return SimpleNamespace(device=SimpleNamespace(type="cuda"), dtype=dtype)


def test_kernels_serve_maps_of_one_type_that_they_know(there: list[tuple[str, str]]) -> None:
    single, double = torch.zeros(1), torch.zeros(1, dtype=torch.float64)
    half = torch.zeros(1, dtype=torch.bfloat16)
    with operators("auto"):
        assert kernels_serve(SOURCE, single, single)
        assert kernels_serve(SOURCE, double)
        for maps in ((single, double), (half,), (on_gpu(torch.float64),)):
            assert not kernels_serve(SOURCE, *maps)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            assert kernels_serve(SOURCE, on_gpu(dtype))
        assert not kernels_serve(SOURCE, single.to("meta"))
    assert there == [("cpu", SOURCE)] * 2 + [("cuda", SOURCE)] * 3
    with operators("plain"):
        assert not kernels_serve(SOURCE, single)
    assert len(there) == 5


def test_kernels_that_shall_be_used_and_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, there: list[tuple[str, str]]
) -> None:
    single, half = torch.zeros(1), torch.zeros(1, dtype=torch.bfloat16)
    with operators("fused"):
        assert kernels_serve(SOURCE, single)
        assert not kernels_serve(SOURCE, single.to("meta"))
        for maps, words in (((half,), "bfloat16"), ((single, half), "bfloat16 and float32")):
            with pytest.raises(InputError) as refused:
                kernels_serve(SOURCE, *maps)
            assert str(refused.value) == (
                f"MIXSPACE_OPERATORS: is fused, and here are no kernels for {words} on cpu; auto "
                "takes the plain path"
            )
        monkeypatch.setattr(kernel_dispatch, "_kernels", lambda kind, source: False)
        with pytest.raises(InputError, match="no kernels for float32 on cpu; auto"):
            kernels_serve(SOURCE, single)


def test_each_kind_of_device_has_its_own_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_dispatch, "_compiled", lambda source: f"compiled {source}")
    monkeypatch.setattr(kernel_dispatch, "_triton_runs", lambda: "Triton's")
    kernels = kernel_dispatch._kernels
    assert kernels("cpu", SOURCE) == f"compiled {SOURCE}"
    assert kernels("cuda", SOURCE) == "Triton's"


def test_compiled_kernels_are_there_where_they_were_built(monkeypatch: pytest.MonkeyPatch) -> None:
    built = {"there.cpp": "a library"}
    monkeypatch.setattr(kernel_dispatch, "native_library", lambda path: built.get(str(path)))
    compiled = kernel_dispatch._compiled.__wrapped__
    assert (compiled("there.cpp"), compiled("gone.cpp")) == (True, False)


class Machine:
    """Whether there is Triton, a compiler, and which GPU."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.modules, self.programs, self.capability = {"triton"}, {"gcc"}, (8, 0)
        patch = monkeypatch.setattr
        patch(kernel_dispatch, "find_spec", lambda name: name if name in self.modules else None)
        patch(kernel_dispatch.shutil, "which", lambda name: name if name in self.programs else None)
        patch(torch.cuda, "get_device_capability", lambda: self.capability)
        patch(torch.version, "cuda", "13.0")
        monkeypatch.delenv("CC", raising=False)


def runs() -> bool:
    return kernel_dispatch._triton_runs.__wrapped__()


def test_triton_needs_a_compiler_and_a_gpu_that_is_not_too_old(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, kernel_dispatch.__name__)
    machine = Machine(monkeypatch)
    for name in ("cc", "gcc", "clang"):
        machine.programs = {name}
        assert runs()
    machine.capability = (7, 0)
    assert runs()
    assert not caplog.messages
    machine.capability = (6, 1)
    assert not runs()
    monkeypatch.setattr(torch.version, "cuda", None)  # AMD's have other numbers
    assert runs()
    machine.programs = set()
    assert not runs()
    monkeypatch.setenv("CC", "/a/cc")
    assert runs()
    machine.modules = set()
    assert not runs()
    start = "Operators take their plain path on the GPU, as "
    assert caplog.messages == [
        f"{start}this GPU is older than what Triton compiles for",
        f"{start}Triton finds no C compiler; install gcc, or name one in CC",
        f"{start}Triton is not installed",
    ]


def test_autocast_has_a_type_of_its_own() -> None:
    x = torch.zeros(2)
    assert in_autocast(x) is x
    with torch.autocast("cpu", torch.bfloat16):
        assert in_autocast(x).dtype is torch.bfloat16
        assert in_autocast(x.double()).dtype is torch.float64
        assert in_autocast(x.to("meta")).dtype is torch.float32


# --- kernels as operators -------------------------------------------------------------------------


def test_an_operator_takes_the_kernels_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    defined: list[Any] = []
    ways: dict[str, Any] = {}
    library = SimpleNamespace(
        define=lambda schema, tags: defined.append((schema, tags)),
        impl=lambda name, way, device: ways.setdefault(device, (name, way)),
    )
    own = SimpleNamespace(default="the operator")
    monkeypatch.setattr(kernel_operators, "_LIBRARY", library)
    monkeypatch.setattr(torch.library, "register_fake", lambda *a, **k: defined.append((a, k)))
    monkeypatch.setattr(kernel_operators.torch.ops, "mixspace", SimpleNamespace(own=own))
    native: Any = SimpleNamespace(__package__="a.b", summed=lambda x, y, n: ("cpu", x, y, n))
    kernels = SimpleNamespace(summed=lambda x, y, n: ("gpu", x, y, n))
    places = {"a.b.triton_kernels": kernels}
    monkeypatch.setattr(kernel_operators, "import_module", places.__getitem__)
    refused: list[Any] = []

    def empty(*_: Any) -> Tensor:
        return torch.zeros(1)

    schema = "own(Tensor x, Tensor y, int n) -> Tensor"
    made = kernel_operator(schema, native, "summed", lambda *a: refused.append(a), empty)
    assert made == "the operator"
    tags = kernel_operators._TAGS
    assert defined == [(schema, tags), (("mixspace::own", empty), {"lib": library})]
    x, y = torch.zeros(2), torch.ones(2)
    for device, kind in (("CPU", "cpu"), ("CUDA", "gpu")):
        name, way = ways[device]
        assert name == "own"
        found = way(x, y, 3)
        assert (found[0], found[3]) == (kind, 3)
        assert found[1] is x
        assert found[2] is y
        assert len(refused.pop()) == 3
        with pytest.raises(ValueError, match="both must be of one type") as wrong:
            way(x, y.double(), 3)
        assert str(wrong.value) == (
            "both must be of one type and on one device; got torch.float32 on cpu and "
            "torch.float64 on cpu"
        )
        with pytest.raises(ValueError, match=r"32 on cpu and torch\.float32 on meta$"):
            way(x, y.to("meta"), 3)
        assert not refused


def test_maps_that_are_multiplied_have_one_shape() -> None:
    refuse_unequal(torch.zeros(2, 3), torch.zeros(2, 3), 5)
    with pytest.raises(ValueError, match="targets and sources") as wrong:
        refuse_unequal(torch.zeros(2, 3), torch.zeros(3, 2))
    assert str(wrong.value) == "targets and sources must have one shape; got (2, 3), (3, 2)"


def test_tensor_cores_multiply_float32_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = interpreted("depthwise")
    assert kernels._how(torch.zeros(1)) == {"PRECISION": "ieee", "INTERPRETED": True}
    capability = (8, 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    thrice = {"PRECISION": "tf32x3", "INTERPRETED": False}
    plain = {"PRECISION": "ieee", "INTERPRETED": False}
    assert kernels._how(on_gpu(torch.float32)) == thrice
    assert kernels._how(on_gpu(torch.bfloat16)) == plain
    capability = (7, 5)
    assert kernels._how(on_gpu(torch.float32)) == plain
    capability = (9, 0)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert kernels._how(on_gpu(torch.float32)) == plain
