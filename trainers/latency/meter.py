"""Measures from any process: starts the one that measures, asks it, and ends it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from space import Architecture
from space.errors import InputError, MixspaceError, Problem
from trainers.latency.device import DeviceIdentity
from trainers.latency.figure import Latency
from trainers.latency.measuring import Effort
from trainers.latency.parts import Part
from trainers.latency.spec import LatencySpec

ROOT = Path(__file__).resolve().parent.parent.parent


class NotMeasured(MixspaceError, RuntimeError):
    """A network or part could not be run, or the process that measures is gone."""


class Measures(Protocol):
    """Who measures; tests have one with made-up figures."""

    spec: LatencySpec
    device: DeviceIdentity
    pace: float | None
    """Of the gauge at its quickest so far, in milliseconds; to be told where more is known."""

    def networks(self, architectures: Sequence[Architecture]) -> list[Latency]:
        """The latencies of networks, measured in turns."""

    def parts(self, parts: Sequence[Part]) -> "Iterator[Latency | NotMeasured]":
        """The latency of each part, as it is measured, or why it does not run."""

    def close(self) -> None:
        """End what was started."""


class MeterProcess:
    """A process that measures, and nothing else; a context manager.

    Args:
        spec: how. pace: of the gauge at its quickest so far; None where nothing is known.
        plugins: modules that register the custom mixers of what is measured.
        effort: spent on each network or part; None takes `NETWORK` or `PART`.

    Raises:
        InputError: what this machine cannot measure.
        NotMeasured: the process did not start.
    """

    def __init__(
        self,
        spec: LatencySpec,
        pace: float | None = None,
        plugins: Sequence[str] = (),
        effort: Effort | None = None,
    ) -> None:
        self.spec, self.pace = spec, pace
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trainers.latency.meter_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(spec),
            text=True,
            start_new_session=True,  # Ctrl-C is for those who wait for it
        )
        try:
            spent = None if effort is None else asdict(effort)
            self._ask({"spec": spec.to_dict(), "plugins": list(plugins), "effort": spent})
            hello = self._answer()
        except BaseException:
            self.close()
            raise
        self.device = DeviceIdentity.from_dict(hello["device"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def networks(self, architectures: Sequence[Architecture]) -> list[Latency]:
        """The latencies of networks, measured in turns.

        Raises:
            NotMeasured: one of them does not run, for example for want of memory.
        """
        self._ask({"networks": [architecture.to_json() for architecture in architectures]})
        return [Latency.from_dict(self._answer()["latency"]) for _ in architectures]

    def parts(self, parts: Sequence[Part]) -> Iterator[Latency | NotMeasured]:
        """The latency of each part, as it is measured, or why it does not run.

        All of them must be taken.

        Raises:
            NotMeasured: the process is gone.
        """
        self._ask({"parts": [part.to_dict() for part in parts]})
        for _ in parts:
            answer = self._line()
            failed = answer.get("failed")
            yield Latency.from_dict(answer["latency"]) if failed is None else NotMeasured(failed)

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:  # it died with a request half read
                    continue
        self._errors.close()

    def _ask(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"pace": self.pace, **request}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._gone() from None

    def _answer(self) -> dict[str, Any]:
        answer = self._line()
        if "failed" in answer:
            raise NotMeasured(answer["failed"])
        return answer

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._gone()
        answer: dict[str, Any] = json.loads(line)
        if "problems" in answer:
            raise InputError(Problem(where, message) for where, message in answer["problems"])
        return answer

    def _gone(self) -> NotMeasured:
        """What it said last."""
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        code = self._process.returncode
        last = lines[-1][:300] if lines else "it said nothing"
        return NotMeasured(f"the process that measures ended with {code}: {last}")


def _environment(spec: LatencySpec) -> dict[str, str]:
    """As of this process, with the threads of the spec, and what it can import, in its order."""
    places = dict.fromkeys([*(place or str(Path.cwd()) for place in sys.path), str(ROOT)])
    threads = {} if spec.threads is None else {"OMP_NUM_THREADS": str(spec.threads)}
    return os.environ | threads | {"PYTHONPATH": os.pathsep.join(places)}
