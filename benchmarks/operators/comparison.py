"""Operators beside what else computes them, on this machine.

    python -m benchmarks.operators [--device cpu] [--dtype float32] [--threads 1] [--family NAME …]
        [--rounds 5] [--seconds 3] [--tiny] [--json]

Mixers of the paper's networks at 224 and of networks for small images, each by ours (the path that
is the default), by the other path, and by what torch offers: unfolding, Conv2d in either memory
format, scaled_dot_product_attention. All have the same weights, and their outputs are compared
first. Timed in turns: the forward pass, the gradient of the maps, and that of the parameters.

Beside it stands the share of the device's bound that our forward pass reaches: maps read and
written once, generated weights as well, or the multiplications, by the speed of a copy and of a
product of matrices as measured in the same run.
"""

import json
import platform
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import geometric_mean
from typing import Any

import torch
from torch import Tensor

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.operators.bounds import Bounds
from benchmarks.operators.cases import Case, cases
from benchmarks.operators.contenders import Contender, contenders
from benchmarks.operators.stopwatch import Milliseconds, timed
from space.operators import TokenMixer

PASSES = ("forward", "input gradient", "weight gradient")
ALLOWED = {torch.float32: 1e-4, torch.bfloat16: 0.05, torch.float16: 0.01}
"""Of the largest output: by how much two ways may differ."""


@dataclass(frozen=True)
class Row:
    """A case.

    Attributes:
        case: in words. family: of it.
        times: by contender and pass.
        bound_ms: the least that a forward pass takes.
        errors: how far the outputs of the others are from ours, relative to the largest.
    """

    case: str
    family: str
    times: dict[str, dict[str, Milliseconds]]
    bound_ms: float
    errors: dict[str, float]

    def total(self, name: str) -> float:
        """Milliseconds of all passes of a contender, by medians."""
        return sum(each.median for each in self.times[name].values())

    @property
    def best_of_torch(self) -> float | None:
        """How many times as long the quickest takes that is not ours; None where there is none."""
        others = [ratio for name, ratio in self.ratios.items() if name not in ("plain", "fused")]
        return min(others, default=None)

    @property
    def ratios(self) -> dict[str, float]:
        """How many times as long the others take, over all passes."""
        ours = self.total("ours")
        return {name: self.total(name) / ours for name in self.times if name != "ours"}


def _passes(contender: Contender, x: Tensor) -> dict[str, Callable[[], object]]:
    """What is timed of one; gradients of a graph that is kept."""
    mine = x.detach().contiguous(memory_format=contender.memory_format).requires_grad_()
    with contender.within():
        y = contender.run(mine)
    gradient = torch.randn_like(y)
    wanted = [each for each in contender.owner.parameters() if each.requires_grad]

    def forward() -> None:
        with contender.within():
            contender.run(mine)

    def backward(inputs: Sequence[Tensor]) -> Callable[[], object]:
        return lambda: torch.autograd.grad(y, inputs, gradient, retain_graph=True)

    passes = forward, backward([mine]), backward(wanted)
    return dict(zip(PASSES, passes, strict=True))


def measured(
    case: Case,
    device: torch.device,
    dtype: torch.dtype,
    bounds: Bounds,
    rounds: int,
    seconds: float,
) -> Row:
    """Compares the outputs of all contenders, and times them in turns.

    Raises:
        SystemExit: where one computes something else.
    """
    torch.manual_seed(0)
    module = TokenMixer(case.mixer, case.width, case.size).to(device, dtype)
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(case.batch, case.width, case.edge, case.edge, device=device).to(dtype)
    every = list(contenders(case, module))
    outputs = {}
    for each in every:
        with torch.no_grad(), each.within():
            outputs[each.name] = each.run(x.contiguous(memory_format=each.memory_format))
    scale = float(outputs["ours"].abs().max())
    errors = {n: float((y - outputs["ours"]).abs().max()) / scale for n, y in outputs.items()}
    if wrong := {name: error for name, error in errors.items() if not error <= ALLOWED[dtype]}:
        sys.exit(f"{case.words}: {wrong} from ours, relative to the largest output")
    ways = {(each.name, name): run for each in every for name, run in _passes(each, x).items()}
    keys = {" · ".join(key): key for key in ways}
    times = timed({text: ways[key] for text, key in keys.items()}, device, rounds, seconds)
    by_name: dict[str, dict[str, Milliseconds]] = {each.name: {} for each in every}
    for text, (name, which) in keys.items():
        by_name[name][which] = times[text]
    return Row(
        case.words, case.family, by_name, bounds.milliseconds(case, x.element_size()), errors
    )


def tables(rows: Sequence[Row]) -> str:
    """A row a case, and the geometric means by family."""
    return f"{_cases_table(rows)}\n\n{_means_table(rows)}"


def _cases_table(rows: Sequence[Row]) -> str:
    header = ["operator", *(f"{each}, ms" for each in PASSES), "of the bound", "others take"]
    lines = []
    for row in rows:
        ours = row.times["ours"]
        cells = [_words(ours[each]) for each in PASSES]
        share = f"{row.bound_ms / ours['forward'].median:.0%}"
        others = ", ".join(f"{name} {ratio:.1f}×" for name, ratio in row.ratios.items())
        lines.append([row.case, *cells, share, others or "–"])
    return markdown_table(header, lines)


def _words(times: Milliseconds) -> str:
    return f"{times.median:.2f} ({times.low:.2f}–{times.high:.2f})"


def _means_table(rows: Sequence[Row]) -> str:
    lines = []
    for family in dict.fromkeys(row.family for row in rows):
        mine = [row for row in rows if row.family == family]
        names = dict.fromkeys(name for row in mine for name in row.ratios)
        for name in names:
            ratios = [row.ratios[name] for row in mine if name in row.ratios]
            spread = f"{min(ratios):.2f} – {max(ratios):.2f}"
            lines.append([family, name, f"{geometric_mean(ratios):.2f}×", spread, str(len(ratios))])
    header = ["operator", "beside", "takes as long as ours, geometric mean", "range", "n"]
    return markdown_table(header, lines)


def machine(device: torch.device) -> str:
    """The device and the versions, in words."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        from benchmarks.timing import processor

        name = f"{processor()}, {torch.get_num_threads()} threads"
    return f"{name}; Python {platform.python_version()}, torch {torch.__version__}"


def measure_all(
    device: torch.device,
    dtype: torch.dtype,
    chosen: Sequence[Case],
    rounds: int,
    seconds: float,
    tiny: bool = False,
) -> tuple[Bounds, list[Row]]:
    """All cases; each is said when it is done."""
    bounds = Bounds.measured(device, dtype, tiny)
    rows = []
    for number, case in enumerate(chosen, 1):
        rows.append(measured(case, device, dtype, bounds, rounds, seconds))
        ratios = ", ".join(f"{name} {ratio:.1f}×" for name, ratio in rows[-1].ratios.items())
        print(f"{number}/{len(chosen)} {case.words}: {ratios}", file=sys.stderr, flush=True)
    return bounds, rows


def plain(bounds: Bounds, rows: Sequence[Row], told: str) -> dict[str, Any]:
    """What --json prints."""
    return {
        "machine": told,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "bounds": asdict(bounds),
        "rows": [asdict(row) | {"ratios": row.ratios} for row in rows],
    }


def parser_of(program: str, description: str | None, types: Sequence[str]) -> ArgumentParser:
    """The options of what is timed on a device."""
    parser = ArgumentParser(
        prog=program, description=description, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="such as cpu or cuda:0")
    parser.add_argument("--dtype", choices=types, default="float32")
    parser.add_argument("--threads", type=at_least(1), default=1, help="of a CPU")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    types = [str(each).removeprefix("torch.") for each in ALLOWED]
    parser = parser_of("python -m benchmarks.operators", __doc__, types)
    parser.add_argument("--family", nargs="*", help="names of operators, or parts of them")
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--seconds", type=above_zero, default=3.0, help="of a case, about")
    parser.add_argument("--tiny", action="store_true", help="one small map of each operator")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)
    every = list(cases(16 if device.type == "cuda" else 1, options.tiny))
    wanted = [name.lower() for name in options.family or [""]]
    chosen = [each for each in every if any(name in each.words.lower() for name in wanted)]
    if not chosen:
        names = ", ".join(dict.fromkeys(each.family for each in every))
        parser.error(f"--family: no operator has such a name; there are {names}")
    bounds, rows = measure_all(device, dtype, chosen, options.rounds, options.seconds, options.tiny)
    if options.json:
        print(json.dumps(plain(bounds, rows, machine(device)), ensure_ascii=False))
        return
    gigabytes, macs = bounds.bytes_per_second / 1e9, bounds.macs_per_second / 1e9
    print(f"{machine(device)}; copies {gigabytes:.1f} GB/s, {macs:,.0f} GMAC/s, {options.dtype}\n")
    print(tables(rows))
    best = [each for row in rows if (each := row.best_of_torch) is not None]
    if best:
        mean = geometric_mean(best)
        print(f"\nThe quickest of torch takes {mean:.2f}× as long: geometric mean, n = {len(best)}")
