"""The latencies of parts on one device: kept, exported, taken in again."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from space import Architecture
from space.errors import InputError, Problem, refuse
from space.input.plain_values import from_json
from trainers.latency.device import DeviceIdentity, setting_differences, setting_id
from trainers.latency.figure import Latency, quickest
from trainers.latency.parts import Part, parts_of
from trainers.latency.spec import LatencySpec

FORMAT = "mixspace latency table 1"


@dataclass
class PartTable:
    """What each part takes.

    Attributes:
        spec, device: how, and on what, all of it was measured.
        figures: the latency of one part of each kind; of a block its share of a stack.
    """

    spec: LatencySpec
    device: DeviceIdentity
    figures: dict[Part, Latency] = field(default_factory=dict)

    @property
    def pace(self) -> float | None:
        """What the gauge took at its quickest, in milliseconds; None while nothing is known."""
        gauged = (figure.gauge_ms for figure in self.figures.values())
        return quickest([each for each in gauged if each is not None])

    @property
    def setting(self) -> str:
        """The id of spec and device: tables of equal ids may be put together."""
        return setting_id(self.spec, self.device)

    def milliseconds(self) -> Mapping[Part, float]:
        """What each part takes at the machine's quickest pace.

        Parts are measured minutes apart, and a machine has phases. The gauge took turns with every
        part, so its time then, beside its quickest, tells how slow the machine was.
        """
        pace = self.pace
        return {
            part: figure.median_ms * (pace / figure.gauge_ms if pace and figure.gauge_ms else 1.0)
            for part, figure in self.figures.items()
        }

    def missing(self, architecture: Architecture) -> list[Part]:
        """The parts of a network that the table does not have."""
        return [part for part in parts_of(architecture) if part not in self.figures]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file; `from_dict` reads them back."""
        return {
            "format": FORMAT,
            "spec": self.spec.to_dict(),
            "device": self.device.to_dict(),
            "parts": [
                {"part": part.to_dict(), "latency": _bare(figure)}
                for part, figure in self.figures.items()
            ],
        }

    @classmethod
    def from_dict(cls, values: object, where: str = "table") -> "PartTable":
        """The table that `to_dict` described.

        Raises:
            InputError: with every problem, below the path `where`.
        """
        if not isinstance(values, Mapping) or values.get("format") != FORMAT:
            raise InputError.of(where, f"is no latency table of this program ({FORMAT!r})")
        entries = values.get("parts")
        if not isinstance(entries, list):
            raise InputError.of(f"{where}.parts", "must be a list")
        spec = LatencySpec.from_dict(values.get("spec"), f"{where}.spec")
        device = DeviceIdentity.from_dict(values.get("device"), f"{where}.device")
        whole = {"device": device.to_dict(), "spec": spec.to_dict()}
        found: dict[Part, Latency] = {}
        problems: list[Problem] = []
        for index, entry in enumerate(entries):
            try:
                part, figure = _entry(entry, f"{where}.parts[{index}]", whole)
                found[part] = figure
            except InputError as error:
                problems += error.problems
        refuse(problems[:20])
        return cls(spec, device, found)

    def save(self, path: Path) -> None:
        """Write the table to a JSON file; what was there stays until it is whole.

        Raises:
            InputError: where="--out", if it cannot be written.
        """
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            try:
                partial.write_text(json.dumps(self.to_dict(), indent=1) + "\n")
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        except OSError as error:
            raise InputError.of("--out", f"{path} cannot be written: {error.strerror}") from None

    @classmethod
    def load(cls, path: Path) -> "PartTable":
        """Read a table that `save` wrote.

        Raises:
            InputError: naming the file, if it is missing or no such table.
        """
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError.of("table", f"{path} cannot be read: {error}") from None
        return cls.from_dict(from_json(text, str(path)), str(path))

    def take_in(self, other: "PartTable", where: str = "table") -> int:
        """Take over the parts of another table that this one lacks; how many those were.

        Raises:
            InputError: it is of another device, driver, version, or spec: it says nothing of this
                one.
        """
        self.refuse_other(other.spec, other.device, where)
        new = {part: figure for part, figure in other.figures.items() if part not in self.figures}
        self.figures |= new
        return len(new)

    def refuse_other(self, spec: LatencySpec, device: DeviceIdentity, where: str = "table") -> None:
        """Refuse what was measured in another way, or elsewhere.

        Raises:
            InputError: naming all that differs.
        """
        mine = {**self.device.to_dict(), **self.spec.to_dict()}
        other = {**device.to_dict(), **spec.to_dict()}
        differing = setting_differences(mine, other)
        if differing:
            message = f"was measured elsewhere or otherwise: {'; '.join(differing)}"
            raise InputError.of(where, message)


def _bare(figure: Latency) -> dict[str, Any]:
    """Without what the whole table says once."""
    return {n: v for n, v in figure.to_dict().items() if n not in ("device", "spec")}


def _entry(values: Any, where: str, whole: Mapping[str, Any]) -> tuple[Part, Latency]:
    if not isinstance(values, Mapping) or {*values} != {"part", "latency"}:
        raise InputError.of(where, "must have part and latency")
    if not isinstance(values["latency"], Mapping):
        raise InputError.of(f"{where}.latency", "must be a mapping")
    part = Part.from_dict(values["part"], f"{where}.part")
    return part, Latency.from_dict({**values["latency"], **whole})
