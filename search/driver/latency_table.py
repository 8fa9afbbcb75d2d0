"""The table of parts of a device and the predictor over it: built once, kept in the store."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.config.latency import LatencyConfig
from search.driver.latency_machine import measured_again, with_place
from search.driver.latency_time import TimeLeft, beforehand
from search.store import Store
from space import Architecture, DesignSpace
from space.errors import InputError
from space.wording import count
from trainers.latency import (
    DeviceIdentity,
    LatencySpec,
    Measures,
    NotMeasured,
    Part,
    PartTable,
    Predictor,
    parts_of,
    parts_of_space,
    setting_id,
)
from trainers.latency.figure import Latency
from trainers.latency.parts import TOGETHER
from trainers.latency.spec import digest

Say = Callable[[str], None]
TURNS = 3
"""So many whole networks are measured in turns."""
_DRAWN = 400
"""Random networks of which those to be measured are chosen."""


@dataclass(frozen=True, slots=True)
class BuiltTable:
    """A table with a predictor over it.

    Attributes:
        table: of the device. predictor: of a space.
        up_to: the number of the reading of the store that the table is (`Latencies.parts`).
        parts_of_space: how many distinct parts the space has; None where they were not counted out.
    """

    table: PartTable
    predictor: Predictor
    up_to: int
    parts_of_space: int | None


def stored_table(
    store: Store, spec: LatencySpec, device: DeviceIdentity, up_to: int | None = None
) -> tuple[PartTable, int]:
    """What the store has of a device, and the number of this reading."""
    rows, number = store.latencies.parts(setting_id(spec, device), up_to)
    figures = {Part.from_dict(part): Latency.from_dict(figure) for part, figure in rows}
    return PartTable(spec, device, figures), number


def build_table(
    store: Store,
    space: DesignSpace,
    config: LatencyConfig,
    limit: float | None,
    meter: Measures,
    say: Say,
    *,
    again: bool = False,
) -> BuiltTable:
    """Measure what the store does not have yet of the parts and of some networks of a space.

    Args:
        store: what is measured goes there as soon as it is.
        space: whose networks are to be predicted.
        config: how many parts and networks.
        limit: in milliseconds; half of the held-out networks are near it. None where there is none.
        meter: measures on the device.
        say: told how it goes.
        again: whether what was measured while the machine was not quiet, or slower than at its
            quickest, is measured again, and the predictor is fitted anew.

    Raises:
        InputError: where="latency.machine", what the store has is of another machine, by its pace.
        NotMeasured: too few networks run here.
    """
    spec, device = config.spec, meter.device
    setting = setting_id(spec, device)
    store.latencies.add_setting(setting, spec.to_dict(), device.to_dict())
    table, _ = stored_table(store, spec, device)
    keep = with_place if _is_of_this_machine(store, table, meter, say) else Latency.to_dict
    meter.pace = table.pace
    wanted, total = parts_to_measure(space, config.parts)
    lacking = _lacking(table, wanted, again)
    name = space_id(space, config, limit)
    known = None if again else store.latencies.predictor(setting, name)
    _say_beforehand(table, len(lacking), 0 if known else config.networks, say)
    _measure_parts(store, table, lacking, meter, say, keep)
    table, up_to = stored_table(store, spec, device)
    parts = table.milliseconds()
    if known is not None and known["up_to"] <= up_to:
        table, up_to = stored_table(store, spec, device, known["up_to"])
        predictor = Predictor.from_dict(known["line"], table.milliseconds())
        return BuiltTable(table, predictor, up_to, total)
    fitted, held_out = networks_to_measure(space, Predictor(parts), config.networks, limit)
    wanted_for = f"the predictor of {space.name}"
    found = _measure_networks(store, setting, [*fitted, *held_out], meter, wanted_for, say)
    lines = [[(n, found[n].median_ms) for n in part if n in found] for part in (fitted, held_out)]
    if len(lines[0]) < 2 or not lines[1]:
        raise NotMeasured(f"of {len(fitted) + len(held_out)} random networks {len(found)} run here")
    predictor = Predictor(parts).fitted(*lines)
    disturbed = sum(not figure.quiet for figure in found.values())
    said = {"space": space.name, "limit_ms": limit, "disturbed": disturbed}
    line = {"line": predictor.to_dict(), "up_to": up_to, **said}
    store.latencies.add_predictor(setting, name, line)
    return BuiltTable(table, predictor, up_to, total)


def _is_of_this_machine(store: Store, table: PartTable, meter: Measures, say: Say) -> bool:
    """Whether a table is known to be of this machine, which is written down then.

    Raises:
        InputError: where="latency.machine", it is of another one.
    """
    again = measured_again(table, meter)
    if again is None:
        return True
    again.refuse(say)
    for part, figure in again.figures.items() if again.is_sure else ():
        store.latencies.add_part(table.setting, part.id, part.to_dict(), with_place(figure))
    return again.is_sure


def space_id(space: DesignSpace, config: LatencyConfig, limit: float | None) -> str:
    """What a predictor is for: a space without its own limits, and the limit of the latency."""
    file = {n: v for n, v in space.to_dict().items() if n not in ("limits", "name")}
    return digest({"space": file, "limit": limit, "networks": config.networks})


def parts_to_measure(space: DesignSpace, most: int) -> tuple[list[Part], int | None]:
    """The parts of a space, or those that are the most frequent in random networks of it.

    Returns:
        At most `most` parts, and how many there are in all where that is no more than some tens of
        thousands.
    """
    every: list[Part] = []
    for part in parts_of_space(space):
        every.append(part)
        if len(every) > max(most, _MOST_COUNTED):
            break
    total = len(every) if len(every) <= _MOST_COUNTED else None
    if len(every) <= most:
        return every, total
    rng, met = np.random.default_rng(0), Counter[Part]()
    for _ in range(_DRAWN):
        met.update({*parts_of(space.sample(rng))})
    frequent = sorted(met, key=lambda part: (-met[part], part.id))
    return frequent[:most], total


_MOST_COUNTED = 50_000


def _lacking(table: PartTable, wanted: Sequence[Part], again: bool) -> list[Part]:
    pace = table.pace
    return [
        part
        for part in wanted
        if part not in table.figures or (again and _is_doubtful(table.figures[part], pace))
    ]


def _is_doubtful(figure: Latency, pace: float | None) -> bool:
    slow = pace is not None and figure.gauge_ms is not None and figure.gauge_ms > 1.05 * pace
    return slow or not figure.quiet


def _say_beforehand(table: PartTable, parts: int, networks: int, say: Say) -> None:
    if not parts + networks:
        return
    have = f"; the store has {count(len(table.figures), 'part')} already" if table.figures else ""
    wanted = beforehand(parts, networks, table.spec)
    say(f"Latency: measuring on {table.device.name} {wanted}{have} ...")


def _measure_parts(
    store: Store,
    table: PartTable,
    parts: Sequence[Part],
    meter: Measures,
    say: Say,
    keep: Callable[[Latency], dict[str, Any]],
) -> None:
    disturbed, broken, left = 0, list[str](), TimeLeft(len(parts), "part", say, together=TOGETHER)
    for index, figure in enumerate(meter.parts(parts), 1):
        part = parts[index - 1]
        if isinstance(figure, NotMeasured):
            broken.append(f"{part.words}: {figure}")
            continue
        store.latencies.add_part(table.setting, part.id, part.to_dict(), keep(figure))
        disturbed += not figure.quiet
        left.measured(index)
    if disturbed:
        say(f"Latency: {_disturbed(disturbed, len(parts), 'part')}.")
    if broken:
        say(
            f"Latency: {count(len(broken), 'part')} of {len(parts):,} do not run here, and are "
            f"estimated from others; networks that have one are infeasible ({broken[0]})."
        )


def _disturbed(number: int, total: int, thing: str) -> str:
    return (
        f"the machine was not quiet while {number:,} of {count(total, thing)} were measured, even "
        "when measured again"
    )


def networks_to_measure(
    space: DesignSpace, rough: Predictor, number: int, limit: float | None
) -> tuple[list[Architecture], list[Architecture]]:
    """Random networks, without repeats, of which a third are held out.

    Returns:
        Those to fit a line on, which are spread over the sizes that there are, so that it does not
        turn on two of one size; and those that tell its error: random ones, with a limit every
        second one of those nearest to it. A space of few networks gives fewer.
    """
    drawn = list(space.distinct(max(_DRAWN, number), np.random.default_rng(1)))
    if len(drawn) < 3:
        raise InputError.of("space", f"has {len(drawn)} networks; a prediction needs 3 to begin")
    number = min(number, len(drawn))
    held = number // 3
    by_size = sorted(drawn, key=rough.total)
    places = np.linspace(0, len(by_size) - 1, number - held).round().astype(int)
    fitted = [by_size[place] for place in places]
    rest = [each for each in drawn if each not in fitted]
    if limit is not None:
        near = sorted(rest, key=lambda each: abs(rough.total(each) - limit))
        rest = list(dict.fromkeys(one for pair in zip(near, rest, strict=True) for one in pair))
    return fitted, rest[:held]


def _measure_networks(
    store: Store,
    setting: str,
    networks: Sequence[Architecture],
    meter: Measures,
    measured_for: str,
    say: Say,
) -> dict[Architecture, Latency]:
    """The latency of each that runs."""
    say(f"Latency: measuring {count(len(networks), 'whole network')} ...")
    found: dict[Architecture, Latency] = {}
    left = TimeLeft(len(networks), "whole network", say, together=TURNS)
    for start in range(0, len(networks), TURNS):
        together = networks[start : start + TURNS]
        for network, figure in _those_that_run(together, meter):
            store.latencies.add(setting, network.id, figure.to_dict(), measured_for)
            found[network] = figure
        left.measured(start + len(together))
    disturbed = sum(not figure.quiet for figure in found.values())
    if disturbed:
        say(f"Latency: {_disturbed(disturbed, len(found), 'network')}.")
    return found


def _those_that_run(
    networks: Sequence[Architecture], meter: Measures
) -> list[tuple[Architecture, Latency]]:
    try:
        return list(zip(networks, meter.networks(networks), strict=True))
    except NotMeasured:
        if len(networks) == 1:
            return []
        return [pair for network in networks for pair in _those_that_run([network], meter)]


_TRIED = 1000
"""Random networks that are looked at before a limit is refused."""


def refuse_unreachable(space: DesignSpace, predictor: Predictor, limit: float) -> float:
    """The share of random networks that are predicted to keep a limit.

    Raises:
        InputError: none of many does, also with what predictions are off by.
    """
    rng = np.random.default_rng(0)
    predicted = [predictor(space.sample(rng)) for _ in range(_TRIED)]
    least, most = min(predicted), limit * (1 + predictor.margin)
    if least > most:
        raise InputError.of(
            "constraints.latency",
            f"none of {_TRIED:,} random networks is predicted to keep {limit:g} ms; the quickest "
            f"needs {least:.3g} ms ({predictor.words})",
        )
    return sum(each <= most for each in predicted) / len(predicted)
