"""Training steps of networks, beside the plain operators and timm's networks, on this machine.

    python -m benchmarks.training [--device cpu] [--dtype float32] [--threads 1] [--size small 224]
        [--network NAME …] [--batch N] [--compile MODE …] [--rounds 5] [--seconds 10] [--tiny]
        [--json]

A step is a forward pass, the loss, a backward pass and AdamW. Six named networks: at 224 those of
the paper and ConvNeXt, for small images two stages of an operator each. Ours takes fused operators
where there are kernels; "plain" is the same network with plain ones. At 224 timm's swin_tiny and
convnext_tiny stand beside ours, where timm is installed; with --compile ours compiled in a mode of
`torch.compile`, as `resources.compile` has it. Timed in turns; compiling is not in the times.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from statistics import geometric_mean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.operators.comparison import machine, parser_of
from benchmarks.operators.stopwatch import Milliseconds, timed
from space import Architecture, Mixer
from space.networks import build
from space.operator_choice import Choice, operators
from space.published import ENTRIES

LARGE = ("swin_tiny", "dwnet_tiny", "dynamic_dwnet_tiny", "i_dynamic_dwnet_tiny", "local_mlp_tiny")
OF_TIMM = {"swin_tiny": "swin_tiny_patch4_window7_224", "convnext_tiny": "convnext_tiny"}
SMALL = {
    "DW-S Conv.": {"kernel_size": 7},
    "Dynamic DW-S Conv.": {"kernel_size": 7},
    "Dynamic Local-S MLP": {"kernel_size": 7, "heads": 4},
    "Neighbourhood attention": {"kernel_size": 7, "heads": 4},
    "Local ViT": {"kernel_size": 7, "heads": 4},
    "ViT": {"heads": 4},
}
TYPES = ("float32", "bfloat16")
MODES = {"default": None, "reduce-overhead": "reduce-overhead", "max-autotune": "max-autotune"}
"""Of `torch.compile`, by the words of --compile."""


@dataclass(frozen=True)
class Setting:
    """A network and its images.

    Attributes:
        name: of the network. size: "224" or "small".
        architecture: the network. batch: images of a step.
    """

    name: str
    size: str
    architecture: Architecture
    batch: int


@dataclass(frozen=True)
class Row:
    """What a step takes.

    Attributes:
        name, size, batch: of the setting.
        times: of a step, by contender: ours, plain, timm, and modes of the compiler.
        peak_bytes: memory of a GPU at most, by contender; none on a CPU.
    """

    name: str
    size: str
    batch: int
    times: dict[str, Milliseconds]
    peak_bytes: dict[str, int]

    def ratio(self, name: str) -> float | None:
        """How many times as long a contender takes as ours; None where it is not there."""
        return self.times[name].median / self.times["ours"].median if name in self.times else None


def small_architecture(operator: str, width: int = 32, edge: int = 28) -> Architecture:
    """Two stages of two blocks for grey images; maps of half and a quarter of the edge."""
    mixer = Mixer.named(operator, **SMALL[operator]).to_dict()
    stages = [
        {"depth": 2, "width": scale * width, "mlp_ratio": 2, "mixers": [mixer]} for scale in (1, 2)
    ]
    return Architecture.from_dict(
        {
            "version": 1,
            "input": {"channels": 1, "height": edge, "width": edge},
            "stem": {"patch_size": 2},
            "block_type": "prenorm",
            "stages": stages,
            "head": {"classes": 10},
        }
    )


def settings(sizes: Sequence[str], batch: int | None, gpu: bool, tiny: bool) -> Iterator[Setting]:
    """All of them; on a GPU batches are larger."""
    if "small" in sizes:
        for operator in SMALL:
            architecture = small_architecture(operator, 8 if tiny else 32, 8 if tiny else 28)
            count = batch or (4 if tiny else 512 if gpu else 64)
            yield Setting(operator, "small", architecture, count)
    if "224" in sizes:
        for name in (*LARGE, "convnext_tiny"):
            yield Setting(name, "224", ENTRIES[name].architecture, batch or (64 if gpu else 2))


Step = Callable[[], object]


def training_step(
    model: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype, mode: str | None = None
) -> Step:
    """A step of fused AdamW, as the training loop takes it; autocast for half precision.

    Args:
        mode: of `MODES`, in which the network is compiled.
    """
    model = model.to(images.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    network: Any = model if mode is None else torch.compile(model, mode=MODES[mode])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        with torch.autocast(images.device.type, dtype, enabled=dtype is not torch.float32):
            loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimiser.step()

    return step


def _within(held: Callable[[], AbstractContextManager[Any]], step: Step) -> Step:
    def run() -> None:
        with held():
            step()

    return run


def measured(
    setting: Setting,
    device: torch.device,
    dtype: torch.dtype,
    rounds: int,
    seconds: float,
    modes: Sequence[str] = (),
) -> Row:
    """Steps of all contenders in turns."""
    image = setting.architecture.input
    shape = setting.batch, image.channels, image.height, image.width
    images = torch.randn(shape, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(setting.architecture.head.classes, (setting.batch,), device=device)

    def ours(choice: Choice = "auto", mode: str | None = None) -> Step:
        step = training_step(build(setting.architecture, seed=0), images, labels, dtype, mode)
        return _within(lambda: operators(choice), step)

    makers: dict[str, Callable[[], Step]] = {"ours": ours, "plain": partial(ours, "plain")}
    makers |= {f"compiled, {mode}": partial(ours, mode=mode) for mode in modes}
    if setting.size == "224" and setting.name in OF_TIMM and find_spec("timm") is not None:
        import space.zoo  # noqa: F401  makes timm importable where torchvision has no operators

        import timm  # isort: skip

        def theirs() -> Step:
            model = timm.create_model(OF_TIMM[setting.name], num_classes=1000)
            return training_step(model, images, labels, dtype)

        makers["timm"] = theirs
    gpu = device.type == "cuda"
    peaks = {name: _peak(make, device) for name, make in makers.items() if gpu}
    times = timed({name: make() for name, make in makers.items()}, device, rounds, seconds)
    return Row(setting.name, setting.size, setting.batch, times, peaks)


def _peak(make: Callable[[], Step], device: torch.device) -> int:
    """Of one that is alone on the device; its second step, when it has all that it keeps."""
    step = make()
    step()
    torch.cuda.reset_peak_memory_stats(device)
    step()
    return torch.cuda.max_memory_allocated(device)


def table(rows: Sequence[Row]) -> str:
    """A row a network."""
    others = [*contenders(rows)]
    header = ["network", "images", "batch", "ours, images/s", *(f"{name} takes" for name in others)]
    with_peaks = any(row.peak_bytes for row in rows)
    lines = []
    for row in rows:
        ours = row.times["ours"]
        low, middle, high = (1000 * row.batch / each for each in (ours.high, ours.median, ours.low))
        ratios = [_ratio(row.ratio(name)) for name in others]
        speed = f"{_speed(middle)} ({_speed(low)}–{_speed(high)})"
        peaks = [", ".join(f"{n} {b / 2**20:,.0f}" for n, b in row.peak_bytes.items())]
        cells = [row.name, row.size, str(row.batch), speed, *ratios]
        lines.append(cells + (peaks if with_peaks else []))
    return markdown_table(header + (["peak memory, MiB"] if with_peaks else []), lines)


def contenders(rows: Sequence[Row]) -> dict[str, None]:
    """Whatever stands beside ours in any row, and timm where it might."""
    found = dict.fromkeys(("plain", "timm"))
    return found | {name: None for row in rows for name in row.times if name != "ours"}


def _speed(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}×"


def means(rows: Sequence[Row]) -> str:
    """Geometric means of how long the others take beside ours."""
    found = []
    for size in dict.fromkeys(row.size for row in rows):
        for name in contenders(rows):
            every = [row.ratio(name) for row in rows if row.size == size]
            ratios = [each for each in every if each is not None]
            if ratios:
                mean = geometric_mean(ratios)
                found.append(f"{size}: {name} takes {mean:.2f}× as long, n = {len(ratios)}")
    return "Geometric means. " + "; ".join(found) + "."


def measure_all(
    chosen: Sequence[Setting],
    device: torch.device,
    dtype: torch.dtype,
    rounds: int,
    seconds: float,
    modes: Sequence[str] = (),
) -> list[Row]:
    """All settings; each is said when it is done."""
    rows = []
    for number, setting in enumerate(chosen, 1):
        rows.append(measured(setting, device, dtype, rounds, seconds, modes))
        said = f"{setting.name} ({setting.size}): plain {_ratio(rows[-1].ratio('plain'))}"
        print(f"{number}/{len(chosen)} {said}", file=sys.stderr, flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = parser_of("python -m benchmarks.training", __doc__, TYPES)
    parser.add_argument("--size", nargs="+", choices=("small", "224"), default=["small", "224"])
    parser.add_argument("--network", nargs="*", help="names, or parts of them")
    parser.add_argument("--batch", type=at_least(1), help="images of a step")
    parser.add_argument(
        "--compile", nargs="*", choices=MODES, default=[], help="modes of torch.compile"
    )
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--seconds", type=above_zero, default=10.0, help="of a network, about")
    parser.add_argument("--tiny", action="store_true", help="small ones of a few channels")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)
    every = settings(options.size, options.batch, device.type == "cuda", options.tiny)
    wanted = [name.lower() for name in options.network or [""]]
    chosen = [each for each in every if any(name in each.name.lower() for name in wanted)]
    if not chosen:
        names = ", ".join([*SMALL, *LARGE, "convnext_tiny"])
        parser.error(f"--network: none has such a name; there are {names}")
    limits = options.rounds, options.seconds
    rows = measure_all(chosen, device, dtype, *limits, options.compile)
    told = machine(device)
    if options.json:
        measured_at = datetime.now(UTC).isoformat(timespec="seconds")
        plain = [asdict(row) for row in rows]
        print(json.dumps({"machine": told, "measured": measured_at, "rows": plain}))
        return
    print(f"{told}; {options.dtype}\n\n{table(rows)}\n\n{means(rows)}")


if __name__ == "__main__":
    main()
