"""Is latency predicted well, and is a limit kept? Measured on this machine.

    python -m benchmarks.latency [--space NAME] [--device cpu] [--runtimes eager onnxruntime]
        [--threads 1 2] [--parts 300] [--networks 18] [--select 12] [--store FILE] [--quick]
        [--json]

For each runtime and number of threads: the parts of the space are measured and a line is fitted, as
a search does it. The limit is the median prediction over random networks. Then, in place of a
search, the networks with the most parameters that are predicted to keep it are taken, as a search
for accuracy ends at large networks near the limit. Each is measured; what is above the limit goes.
What is returned is measured once more, in a new process.

A GPU is taken by --device cuda:0; threads play no part there.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.markdown import markdown_table
from benchmarks.numbers import at_least
from search.config.latency import LatencyConfig
from search.driver.latency_check import PROMISE, Checked, ToCheck, check
from search.driver.latency_table import BuiltTable, build_table
from search.store import Store, open_store
from space import Architecture, DesignSpace
from space.cost import cost
from space.errors import InputError
from trainers.latency import Effort, LatencySpec, MeterProcess, PredictionError

_DRAWN = 400


def say(text: str) -> None:
    """A line for people, beside the data."""
    print(text, file=sys.stderr, flush=True)


_QUICK = Effort(runs=15, precision=0.03, seconds=0.5, warm_seconds=0.2, attempts=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one setting.

    Attributes:
        setting: in words. device: likewise.
        parts: how many were measured, and parts_disturbed: while the machine was not quiet.
        held_out: error of predictions on held-out networks.
        limit_ms: the limit.
        selected: networks that were predicted to keep it, and measured.
        prediction: error of predictions on these.
        returned: those that measured within it.
        highest: the highest of them above the limit when measured again, relative.
        change: median absolute change from the first measurement to the second.
        spread: median distance of the quartiles, relative.
        disturbed: of all measurements of selected networks the share that was disturbed.
    """

    setting: str
    device: str
    parts: int
    parts_disturbed: int
    held_out: PredictionError
    limit_ms: float
    selected: int
    prediction: PredictionError
    returned: int
    highest: float
    change: float
    spread: float
    disturbed: float

    @property
    def kept(self) -> bool:
        """Whether none of what was returned is above the limit by more than was promised."""
        return self.highest <= PROMISE


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    asked = _parser().parse_args(arguments)
    space = DesignSpace.from_yaml(asked.space)
    outcomes = []
    with TemporaryDirectory() as folder, open_store(_store(asked, folder), create=True) as store:
        for spec in _specs(asked):
            say(f"{spec.device}, {spec.words} ...")
            try:
                outcomes.append(measured(store, space, spec, asked))
                say(table(outcomes[-1:]))  # what was measured is said, should the rest be cut off
            except InputError as error:
                say(f"left out: {error}")
    if asked.json:
        print(json.dumps([asdict(outcome) | {"kept": outcome.kept} for outcome in outcomes]))
        return
    print(f"Space {space.name}; {datetime.now(UTC):%d %B %Y}; {_devices(outcomes)}\n")
    print(table(outcomes))


def _store(asked: argparse.Namespace, folder: str) -> str:
    return asked.store or f"{folder}/a.db"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency")
    parser.add_argument("--space", type=Path, default=Path("fashion-first-search"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--runtimes", nargs="+", default=["eager", "onnxruntime"])
    parser.add_argument("--threads", nargs="+", type=at_least(1), default=[1, 2])
    parser.add_argument("--parts", type=at_least(10), default=300)
    parser.add_argument("--networks", type=at_least(6), default=18)
    parser.add_argument("--select", type=at_least(1), default=12)
    parser.add_argument("--store", help="keeps the parts for the next time; a temporary one if not")
    parser.add_argument("--quick", action="store_true", help="little effort, to try the command")
    parser.add_argument("--json", action="store_true")
    return parser


def _specs(asked: argparse.Namespace) -> list[LatencySpec]:
    threads = asked.threads if asked.device == "cpu" else [None]
    return [
        LatencySpec(device=asked.device, precision=asked.precision, runtime=runtime, threads=number)
        for runtime in asked.runtimes
        for number in threads
    ]


def measured(
    store: Store, space: DesignSpace, spec: LatencySpec, asked: argparse.Namespace
) -> Outcome:
    """What a search under a limit would go by, and whether it holds.

    Raises:
        InputError: this machine cannot measure it.
    """
    effort = _QUICK if asked.quick else None

    def meter(of: LatencySpec, pace: float | None, plugins: tuple[str, ...]) -> MeterProcess:
        return MeterProcess(of, pace, plugins, effort)

    wanted = LatencyConfig.model_validate(
        spec.to_dict() | {"parts": asked.parts, "networks": asked.networks}
    )
    with meter(spec, None, ()) as first:
        built = build_table(store, space, wanted, None, first, say)
    drawn = list(space.distinct(_DRAWN, np.random.default_rng(7)))
    limit = float(np.median([built.predictor(each) for each in drawn]))
    selected = select(drawn, built, limit, asked.select)
    device = built.table.device
    say(f"measuring {len(selected)} networks under {limit:.3g} ms ...")
    once = check(store, ToCheck(selected, spec, device, limit, built.predictor), meter)
    within = {each.architecture_id for each in once if each.now.median_ms <= limit}
    kept = [each for each in selected if each.id in within]
    say(f"measuring {len(kept)} of them again, in a new process ...")
    again = check(store, ToCheck(kept, spec, device, limit, built.predictor), meter)
    return _outcome(spec, built, limit, once, again)


def select(
    drawn: Sequence[Architecture], built: BuiltTable, limit: float, number: int
) -> list[Architecture]:
    """The largest networks that are predicted to keep the limit, to what predictions are worth."""
    most = limit * (1 + built.predictor.margin)
    fitting = [each for each in drawn if built.predictor(each) <= most]
    return sorted(fitting, key=lambda each: -cost(each).params)[:number]


def _outcome(
    spec: LatencySpec,
    built: BuiltTable,
    limit: float,
    once: Sequence[Checked],
    again: Sequence[Checked],
) -> Outcome:
    figures = [each.now for each in (*once, *again)]
    predicted = [each.predicted for each in once if each.predicted is not None]
    assert built.predictor.error is not None
    return Outcome(
        setting=spec.words,
        device=built.table.device.words,
        parts=len(built.table.figures),
        parts_disturbed=sum(not each.quiet for each in built.table.figures.values()),
        held_out=built.predictor.error,
        limit_ms=limit,
        selected=len(once),
        prediction=PredictionError.of(predicted, [each.now.median_ms for each in once]),
        returned=len(again),
        highest=max((each.now.median_ms / limit - 1 for each in again), default=-1.0),
        change=float(np.median([abs(each.change or 0.0) for each in again])) if again else 0.0,
        spread=float(np.median([figure.spread for figure in figures])),
        disturbed=sum(not figure.quiet for figure in figures) / len(figures),
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """A line for each setting, in Markdown."""
    header = (
        "setting",
        "parts (disturbed)",
        "held-out error: median, largest (n)",
        "limit, ms",
        "selected",
        "their error: median, largest",
        "returned",
        "highest, measured again",
        "change, median",
        "quartiles apart",
        "disturbed",
        "promise",
    )
    return markdown_table(header, [_row(outcome) for outcome in outcomes])


def _row(outcome: Outcome) -> list[str]:
    held, found = outcome.held_out, outcome.prediction
    return [
        outcome.setting,
        f"{outcome.parts} ({outcome.parts_disturbed})",
        f"{held.median:.1%}, {held.largest:.1%} ({held.n})",
        f"{outcome.limit_ms:.3g}",
        str(outcome.selected),
        f"{found.median:.1%}, {found.largest:.1%}",
        str(outcome.returned),
        f"{outcome.highest:+.1%}" if outcome.returned else "–",
        f"{outcome.change:.1%}",
        f"{outcome.spread:.1%}",
        f"{outcome.disturbed:.0%}",
        "kept" if outcome.kept else "broken",
    ]


def _devices(outcomes: Sequence[Outcome]) -> Any:
    return "; ".join(dict.fromkeys(outcome.device for outcome in outcomes))


if __name__ == "__main__":
    main()
