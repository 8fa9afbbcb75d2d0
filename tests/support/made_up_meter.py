"""Measures nothing: the latencies of parts and networks are made up, the same in every process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from space import Architecture
from trainers.latency import (
    DeviceIdentity,
    Effort,
    Latency,
    LatencySpec,
    NotMeasured,
    Part,
    parts_of,
    setting_id,
)

DEVICE = DeviceIdentity("a made-up device", "driver 1", 2, {"torch": "1"})


def figure(milliseconds: float, reasons: Sequence[str] = (), **more: Any) -> Latency:
    """A measured latency."""
    quantiles = dict.fromkeys(("5", "25", "75", "95"), milliseconds)
    values: dict[str, Any] = {"n": 40, "interrupted": 0, "drift": 0.0, "gauge_ms": 1.0} | more
    return Latency(
        milliseconds,
        0.99 * milliseconds,
        1.01 * milliseconds,
        quantiles_ms=quantiles,
        reasons=tuple(reasons),
        device=DEVICE.to_dict(),
        spec=LatencySpec().to_dict(),
        **values,
    )


def part_ms(part: Part) -> float:
    """What a part takes: from 0.1 to 0.5 ms, by its id."""
    return 0.1 + int(part.id[:4], 16) / 0xFFFF * 0.4


def network_ms(architecture: Architecture) -> float:
    """What a network takes: a line through the sum of its parts, off by up to 6 %."""
    total = sum(part_ms(part) * number for part, number in parts_of(architecture).items())
    return (0.05 + 1.1 * total) * (1 + 0.06 * (int(architecture.id[:4], 16) / 0xFFFF * 2 - 1))


class MadeUpMeter:
    """In the place of `MeterProcess`.

    Attributes:
        started: how many there were. measured: ids of the parts and networks, in order.
        busy: why the machine is not quiet, for all. slower: factor on networks.
        broken: ids of networks and parts that do not run.
        device: what it measures on.
    """

    started: ClassVar[int] = 0
    measured: ClassVar[list[str]] = []
    busy: ClassVar[tuple[str, ...]] = ()
    slower: ClassVar[Callable[[Architecture], float]] = staticmethod(lambda architecture: 1.0)
    broken: ClassVar[set[str]] = set()
    device: DeviceIdentity = DEVICE

    def __init__(
        self,
        spec: LatencySpec,
        pace: float | None = None,
        plugins: Sequence[str] = (),
        effort: Effort | None = None,
    ) -> None:
        self.spec, self.pace, self.closed = spec, pace, False
        type(self).started += 1

    def __enter__(self) -> "MadeUpMeter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def fresh(cls) -> type["MadeUpMeter"]:
        """A class whose notes nobody else has."""
        notes: dict[str, Any] = {"started": 0, "measured": [], "broken": set()}
        return type("Meter", (cls,), notes)

    @classmethod
    def setting(cls, spec: LatencySpec | None = None) -> str:
        """The id of its setting."""
        return setting_id(spec or LatencySpec(), cls.device)

    def networks(self, architectures: Sequence[Architecture]) -> list[Latency]:
        """Made up."""
        if broken := [each.id for each in architectures if each.id in self.broken]:
            raise NotMeasured(f"OutOfMemoryError: {broken[0]}")
        self.measured.extend(each.id for each in architectures)
        return [figure(network_ms(a) * type(self).slower(a), self.busy) for a in architectures]

    def parts(self, parts: Sequence[Part]) -> Iterator[Latency | NotMeasured]:
        """Made up."""
        for part in parts:
            if part.id in self.broken:
                yield NotMeasured("OutOfMemoryError: a part")
                continue
            self.measured.append(part.id)
            yield figure(part_ms(part), self.busy)

    def close(self) -> None:
        """Nothing is left."""
        self.closed = True
