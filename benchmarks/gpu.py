"""What a GPU makes of mixspace, in one command of some minutes.

    python -m benchmarks.gpu [--out gpu-results] [--seconds 120] [--pretend]

All mixer types in float32 and bfloat16 against the CPU's float64, with their gradients, and
depth-wise convolutions of several sizes by the fused path, which takes not all of them; the tables
of `benchmarks.operators` and `benchmarks.training` in bfloat16, some networks with CUDA graphs, and
several trainings at once (`benchmarks.sharing`); and a search of networks on the embedded images
for two minutes. Writes gpu.json and gpu.md. Needs torch, Triton and the packages of `space` (NumPy,
pydantic, PyYAML); timm's networks are compared where it is installed. No Ray, no store.

`--pretend` runs all of it on a CPU, tiny, with the kernels for GPUs in Triton's interpreter.
"""

import argparse
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero
from benchmarks.operators.cases import DEPTHWISE, DYNAMIC, cases
from benchmarks.operators.comparison import machine, measure_all, plain, tables
from benchmarks.sharing import shared
from benchmarks.sharing import table as sharing_table
from benchmarks.training import means, settings, table
from benchmarks.training import measure_all as measure_steps
from search import Evaluation, optimize
from space import Architecture, DesignSpace, Mixer, MixerType, all_mixer_types
from space.axes import AXES, Locality
from space.geometry import MapSize
from space.operator_choice import Choice, operators
from space.operators import TokenMixer
from space.operators.depthwise import fused
from space.operators.depthwise import native as depthwise
from space.operators.neighbourhood import native as neighbourhood
from trainers import Protocol, Seeds, Training, open_data

ALLOWED = {torch.float32: 2e-3, torch.bfloat16: 0.1}
"""Of the largest number of a tensor: by how much the device may differ from the definition."""
SPACE = Path(__file__).parents[1] / "configs" / "spaces" / "fashion-quickstart.yaml"


@dataclass(frozen=True)
class Parity:
    """A mixer on the device.

    Attributes:
        mixer: its label. dtype: of the maps.
        error: of the output and all gradients, relative to the largest number of each.
        agrees: whether that is allowed.
    """

    mixer: str
    dtype: str
    error: float
    agrees: bool


@dataclass(frozen=True)
class Searched:
    """What a search came to.

    Attributes:
        trials, epochs: how many ended. seconds: how long it took.
        best: the best validation accuracy. architecture: of what.
    """

    trials: int
    epochs: int
    seconds: float
    best: float | None
    architecture: dict[str, Any] | None


def mixer_of(mixer_type: MixerType) -> Mixer:
    """One of a mixer type whose counts divide 8 channels."""
    window = mixer_type.locality is Locality.WINDOW
    sizes = {"kernel_size": 2 if window else 3, "groups": 2, "heads": 2, "ratio": 2}
    applicable = Mixer.applicable(*mixer_type.values)
    fields: dict[str, Any] = dict(zip(AXES, mixer_type.values, strict=True))
    fields |= {name: size for name, size in sizes.items() if name in applicable}
    return Mixer(**fields)


def results(module: TokenMixer, images: Tensor) -> list[Tensor]:
    """The output, and the gradients of the maps and of all parameters; on the CPU, in float64."""
    x = images.detach().clone().requires_grad_()
    y = module(x)
    weights = torch.linspace(-1, 1, y.numel()).reshape(y.shape).to(y)
    wanted = [x, *module.parameters()]
    gradients = torch.autograd.grad((y * weights).sum(), wanted, allow_unused=True)
    given = [
        g if g is not None else torch.zeros_like(w) for g, w in zip(gradients, wanted, strict=True)
    ]
    return [each.detach().double().cpu() for each in (y, *given)]


def depthwise_mixers() -> Iterator[Mixer]:
    """Kernels of both kinds, that all images share and of each image's own, with and without
    tensor cores.
    """
    for name, kernel_size in itertools.product((DEPTHWISE, DYNAMIC), (3, 7, 11, 31)):
        yield Mixer.named(name, kernel_size=kernel_size)


def parity(mixer: Mixer, device: torch.device, dtype: torch.dtype, path: Choice = "auto") -> Parity:
    """One mixer by a path against the plain one on the CPU in float64."""
    torch.manual_seed(0)
    module = TokenMixer(mixer, 8, MapSize(6, 5)).eval()
    images = torch.randn(2, 8, 6, 5)
    with operators("plain"):
        expected = results(module.double(), images.double())
    with operators(path):
        found = results(module.to(device, dtype), images.to(device, dtype))
    error = max(
        float((one - other).abs().max() / other.abs().max().clamp_min(1e-3))
        for one, other in zip(found, expected, strict=True)
        if other.numel()
    )
    name = str(dtype).removeprefix("torch.")
    return Parity(mixer.label, name, error, error <= ALLOWED[dtype])


class _TimeIsOver(Exception):
    pass


def search_networks(device: torch.device, seconds: float, limits: dict[str, int]) -> Searched:
    """Searches for so long by evolution, in this process; every network trains for three epochs."""
    space = DesignSpace.from_yaml(SPACE)
    protocol = Protocol.from_dict({"epochs": 3, "warmup_epochs": 1, "batch_size": 64})
    data = open_data(limits, protocol)
    begun, epochs = time.monotonic(), 0
    ended: list[Evaluation[Architecture]] = []

    def accuracies(architecture: Architecture) -> Iterator[dict[str, float]]:
        nonlocal epochs
        seeds = Seeds(initialisation=0, data_order=0)
        training = Training(architecture, protocol, data, seeds=seeds, device=device)
        while not training.done:
            if ended and time.monotonic() - begun > seconds:
                raise _TimeIsOver
            found = training.run_epoch()
            epochs += 1
            yield {"accuracy": found.validation_accuracy}

    def note(evaluation: Evaluation[Architecture]) -> None:
        ended.append(evaluation)
        if time.monotonic() - begun > seconds:
            raise _TimeIsOver

    with suppress(_TimeIsOver):
        optimize(
            space,
            accuracies,
            "evolution",
            budget=10_000,
            objectives={"accuracy": "maximise"},
            fidelities=3,
            on_evaluation=note,
        )
    whole = [each for each in ended if each.values.get("accuracy") is not None]
    best = max(whole, key=lambda each: each.values["accuracy"], default=None)
    return Searched(
        len(ended),
        epochs,
        time.monotonic() - begun,
        None if best is None else best.values["accuracy"],
        None if best is None else best.point.to_dict(),
    )


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """CPU tensors go through the kernels for GPUs, in Triton's interpreter, where GPUs would."""
    from space.operators.depthwise import triton_kernels as of_depthwise
    from space.operators.neighbourhood import triton_kernels as of_neighbourhoods

    with ExitStack() as stack:
        for native, kernels, names in (
            (depthwise, of_depthwise, ("summed", "transposed", "multiplied")),
            (neighbourhood, of_neighbourhoods, ("summed", "scattered", "dotted")),
        ):
            for name in names:
                stack.enter_context(patch.object(native, name, getattr(kernels, name)))
        decide = fused.is_quicker
        as_a_gpu = patch.object(fused, "is_quicker", lambda _, *rest: decide("cuda", *rest))
        stack.enter_context(as_a_gpu)
        yield


def check(device: torch.device, seconds: float, pretend: bool) -> dict[str, Any]:
    """All of it, one after the other; what failed is told and does not end the rest."""
    dtype = torch.float32 if pretend else torch.bfloat16
    found: dict[str, Any] = {"machine": machine(device), "pretended": pretend}
    found["measured"] = datetime.now(UTC).isoformat(timespec="seconds")
    types = list(all_mixer_types())
    if pretend:  # those that have kernels of their own, of which the interpreter takes seconds
        types = [t for t in types if t.name in ("Neighbourhood attention", "Dynamic Local-S MLP")]
    dtypes = (torch.float32,) if pretend else tuple(ALLOWED)
    mixers: list[tuple[Mixer, Choice]] = [(mixer_of(each), "auto") for each in types]
    mixers += [(each, "fused") for each in depthwise_mixers()]
    compared = [
        _tried(lambda m=m, d=d, p=p: parity(m, device, d, p))  # type: ignore[misc]
        for (m, p), d in itertools.product(mixers, dtypes)
    ]
    found["parity"] = [each if isinstance(each, dict) else asdict(each) for each in compared]

    def operator_rows() -> dict[str, Any]:
        chosen = list(cases(16, pretend))
        if not pretend:  # the first 45 are those of the paper's networks and of small images
            chosen = chosen[:45] + [
                each for each in chosen[45:] if (each.mixer.kernel_size or 0) > 9
            ]
        bounds, rows = measure_all(device, dtype, chosen, 1 if pretend else 3, 0.5, pretend)
        return plain(bounds, rows, machine(device)) | {"table": tables(rows)}

    def training_rows() -> dict[str, Any]:
        sizes = ["small"] if pretend else ["small", "224"]
        chosen = list(settings(sizes, None, not pretend, pretend))[: 2 if pretend else None]
        rows = measure_steps(chosen, device, dtype, 1 if pretend else 3, 3.0)
        text = f"{table(rows)}\n\n{means(rows)}"
        return {"rows": [asdict(row) for row in rows], "table": text}

    def graph_rows() -> dict[str, Any]:
        # Small networks wait for the start of kernels, which graphs replay.
        small = list(settings(["small"], None, not pretend, pretend))[::2]
        rows = measure_steps(small, device, dtype, 3, 3.0, ["reduce-overhead"])
        return {"rows": [asdict(row) for row in rows], "table": f"{table(rows)}\n\n{means(rows)}"}

    def sharing_rows() -> dict[str, Any]:
        small = list(settings(["small"], None, not pretend, pretend))
        counts, chosen, seconds = ((1, 2), small[:1], 0.05) if pretend else ((1, 4), small[::3], 3)
        name = str(dtype).removeprefix("torch.")
        rows = [shared(each, n, str(device), name, seconds) for each in chosen for n in counts]
        return {"rows": [asdict(row) for row in rows], "table": sharing_table(rows)}

    limits = {"limit_train": 128, "limit_validation": 50} if pretend else {}
    found["operators"] = _tried(operator_rows)
    found["training"] = _tried(training_rows)
    if not pretend:  # without a GPU there are no graphs, and to compile takes minutes
        found["graphs"] = _tried(graph_rows)
    found["sharing"] = _tried(sharing_rows)
    found["search"] = _tried(lambda: asdict(search_networks(device, seconds, limits)))
    return found


_TABLES = ("operators", "training", "graphs", "sharing")
"""The parts that are tables."""


def _tried(part: Callable[[], Any]) -> Any:
    try:
        return part()
    except (RuntimeError, SystemExit, ImportError) as error:
        print(f"failed: {error}", file=sys.stderr, flush=True)
        return {"failed": f"{type(error).__name__}: {error}"[:2000]}


def wrong(found: dict[str, Any]) -> list[str]:
    """What did not agree, or did not run; empty where all is well."""
    told = [f"{p['mixer']}, {p['dtype']}: {p['error']:.2g} off" for p in found["parity"]
            if "failed" not in p and not p["agrees"]]  # fmt: skip
    told += [p["failed"] for p in found["parity"] if "failed" in p]
    parts = [each for each in (*_TABLES, "search") if each in found]
    return told + [f"{each}: {found[each]['failed']}" for each in parts if "failed" in found[each]]


def report(found: dict[str, Any]) -> str:
    """The tables in Markdown."""
    counts = []
    for dtype in ("float32", "bfloat16"):
        mine = [each for each in found["parity"] if each.get("dtype") == dtype]
        agree = sum(each["agrees"] for each in mine)
        error = max((each["error"] for each in mine), default=0.0)
        counts.append([dtype, str(len(mine)), str(agree), f"{error:.1e}"])
    lines = [f"# mixspace on {found['machine']}", f"Measured {found['measured']}.", "## Parity"]
    lines.append(markdown_table(["type", "mixers", "agree", "largest error"], counts))
    lines += [f"- {each}" for each in wrong(found)]
    for name in filter(found.__contains__, _TABLES):
        lines += [
            f"## {name.capitalize()}",
            found[name].get("table", found[name].get("failed", "")),
        ]
    searched = found["search"]
    lines.append("## A search")
    if "failed" in searched:
        lines.append(searched["failed"])
    else:
        best = "none" if searched["best"] is None else f"{searched['best']:.2%}"
        lines.append(
            f"{searched['trials']} networks, {searched['epochs']} epochs in "
            f"{searched['seconds']:.0f} s; best validation accuracy {best}."
        )
    return "\n\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it, and write both files."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), help="folder")
    parser.add_argument("--seconds", type=above_zero, default=120.0, help="of the search")
    parser.add_argument("--pretend", action="store_true", help="on a CPU, tiny")
    options = parser.parse_args(arguments)
    if not options.pretend and not torch.cuda.is_available():
        parser.error("no GPU here; --pretend runs it on a CPU")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.pretend:
        os.environ["TRITON_INTERPRET"] = "1"
        with as_on_a_gpu():
            found = check(torch.device("cpu"), options.seconds, pretend=True)
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        found = check(torch.device("cuda:0"), options.seconds, pretend=False)
    (options.out / "gpu.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (options.out / "gpu.md").write_text(report(found))
    print(report(found))
    if told := wrong(found):
        sys.exit(f"{len(told)} did not agree or did not run; see {options.out / 'gpu.md'}")


if __name__ == "__main__":
    main()
