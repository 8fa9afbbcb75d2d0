"""The process that measures: `python -m trainers.latency.meter_process`, told what by JSON lines.

Latency is measured in a process of its own, whose threads are those of the spec and in which
nothing else runs. A line of the standard input is a request, a line of the standard output an
answer; what libraries print goes to the standard error.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any

import torch

from space import Architecture
from space.custom import load_plugins
from space.errors import InputError
from trainers.latency.device import identify
from trainers.latency.figure import Latency, quickest
from trainers.latency.measuring import NETWORK, PART, Effort, Pass, measure_in_turns
from trainers.latency.part_modules import network_module, part_module
from trainers.latency.parts import TOGETHER, Part
from trainers.latency.runtimes import make_gauge, make_pass, set_threads
from trainers.latency.spec import LatencySpec


class Meter:
    """Measures networks and parts in this process.

    Args:
        spec: how. effort: spent on each network or part; None takes `NETWORK` or `PART`.

    Raises:
        InputError: what this machine cannot measure.
    """

    def __init__(self, spec: LatencySpec, effort: Effort | None = None) -> None:
        self.spec, self._effort = spec, effort
        self._told: float | None = None
        self._gauged: list[float] = []
        self.device = identify(spec)
        set_threads(spec)
        self._gauge = make_gauge(spec)

    def networks(self, architectures: Sequence[Architecture]) -> list[Latency]:
        """The latencies of networks, measured in turns."""
        passes = []
        for architecture in architectures:
            module, shape = network_module(architecture)
            passes.append(make_pass(module, (self.spec.batch, *shape), self.spec))
        return self._measured(passes, [1] * len(passes), self._effort or NETWORK)

    def parts(self, parts: Sequence[Part]) -> Iterator[Latency | str]:
        """The latencies of single parts, a few measured in turns, one after the other.

        In the place of one that does not run stands why.
        """
        for start in range(0, len(parts), TOGETHER):
            together = parts[start : start + TOGETHER]
            try:
                yield from self._parts(together)
            except Exception:  # noqa: BLE001 - each is tried alone, and told of
                yield from map(self._part_or_reason, together)

    def _part_or_reason(self, part: Part) -> Latency | str:
        try:
            return self._parts([part])[0]
        except Exception as error:  # noqa: BLE001 - whatever a part does is told, as its fault
            return _reason(error)

    def _parts(self, parts: Sequence[Part]) -> list[Latency]:
        passes, times = [], []
        for part in parts:
            module, shape, number = part_module(part)
            passes.append(make_pass(module, (self.spec.batch, *shape), self.spec))
            times.append(number)
        return self._measured(passes, times, self._effort or PART)

    @property
    def pace(self) -> float | None:
        """What the gauge takes at its quickest, in milliseconds, as far as it is known here."""
        known = [each for each in (self._told, quickest(self._gauged)) if each is not None]
        return min(known, default=None)

    def hear_of_pace(self, milliseconds: float | None) -> None:
        """What others know of it."""
        self._told = self._told if milliseconds is None else milliseconds

    def _measured(
        self, passes: Sequence[Pass], times: Sequence[int], effort: Effort
    ) -> list[Latency]:
        found = measure_in_turns(passes, effort, gauge=self._gauge, pace=self.pace)
        self._gauged += [each.gauge_ms for each in found if each.gauge_ms is not None]
        device, spec = self.device.to_dict(), self.spec.to_dict()
        return [
            replace(_shared(latency, number), device=device, spec=spec)
            for latency, number in zip(found, times, strict=True)
        ]


def _shared(latency: Latency, number: int) -> Latency:
    """The share of one of several equal parts."""
    if number == 1:
        return latency
    return replace(
        latency,
        median_ms=latency.median_ms / number,
        low_ms=latency.low_ms / number,
        high_ms=latency.high_ms / number,
        quantiles_ms={level: value / number for level, value in latency.quantiles_ms.items()},
    )


def serve(requests: Iterable[str], answers: IO[str]) -> None:
    """Answer requests, a JSON object a line, until there are no more.

    The first one makes the meter: {"spec", "plugins", "effort"}; it is answered by the device. The
    others ask for {"parts": […]} or {"networks": […]}, with the "pace" that is known, and are
    answered by a line for each: {"latency"}, or {"failed"} with a reason. Of networks, which are
    measured together, that one line is the whole answer, as {"problems"} is, a refusal.
    """
    meter: Meter | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if meter is None:
                load_plugins(tuple(request.get("plugins", ())), "plugins")
                spent = request.get("effort")
                effort = None if spent is None else Effort(**spent)
                meter = Meter(LatencySpec.from_dict(request["spec"]), effort)
                _say(answers, {"device": meter.device.to_dict()})
                continue
            meter.hear_of_pace(request.get("pace"))
            for found in _asked(meter, request):
                if isinstance(found, str):
                    _say(answers, {"failed": found})
                else:
                    _say(answers, {"latency": found.to_dict()})
        except InputError as error:
            _say(answers, {"problems": [[p.where, p.message] for p in error.problems]})
        except Exception as error:  # noqa: BLE001 - whatever a network does is told, as its fault
            _say(answers, {"failed": _reason(error)})


def _reason(error: Exception) -> str:
    """What it says, on one line; what it held on the GPU is free again."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _asked(meter: Meter, request: Mapping[str, Any]) -> Iterable[Latency | str]:
    if "parts" in request:
        return meter.parts([Part.from_dict(part) for part in request["parts"]])
    return meter.networks([Architecture.from_json(text) for text in request["networks"]])


def _say(answers: IO[str], value: Mapping[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def main() -> None:
    """Serve on the standard streams."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
