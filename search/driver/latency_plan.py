"""What a study goes by where it wants or bounds latency: a setting, a limit, a predictor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.config import Config
from search.config.latency import LatencyConfig
from search.driver.latency_machine import measured_again
from search.driver.latency_table import Say, build_table, refuse_unreachable, stored_table
from search.objectives import Constraint, Objectives, Values
from search.store import Store, StudyRecord
from space import Architecture
from space.errors import InputError
from space.wording import percent
from trainers.latency import (
    DeviceIdentity,
    LatencySpec,
    Measures,
    MeterProcess,
    Predictor,
    cautions,
    setting_id,
)
from trainers.latency.device import setting_differences

MakeMeter = Callable[[LatencySpec, float | None, tuple[str, ...]], Measures]


def start_meter(spec: LatencySpec, pace: float | None, plugins: tuple[str, ...]) -> Measures:
    """A process that measures."""
    return MeterProcess(spec, pace, plugins)


@dataclass(frozen=True, slots=True)
class LatencyPlan:
    """Fixed when a study begins, so that a resumed one asks for the same points.

    Attributes:
        spec, device: how and on what networks are measured.
        limit: in milliseconds; None where latency is an objective alone.
        predictor: over the parts that were measured when the study began.
        up_to: the number of that reading of the store.
        pace: of the gauge at its quickest until then.
    """

    spec: LatencySpec
    device: DeviceIdentity
    limit: float | None
    predictor: Predictor
    up_to: int
    pace: float | None

    @property
    def setting(self) -> str:
        """The id of spec and device."""
        return setting_id(self.spec, self.device)

    def known(self, architecture: Architecture) -> Values:
        """The predicted latency, by which searchers go."""
        return {"latency": self.predictor(architecture)}

    def searched_for(self, objectives: Objectives) -> Objectives:
        """The objectives with the limit as far off as predictions may be.

        What is predicted beyond that is proposed by nobody; the rest is measured.
        """
        margin = 1 + self.predictor.margin
        return Objectives(
            objectives.objectives,
            tuple(
                Constraint(each.name, (each.upper or 0) * margin, each.lower)
                if each.name == "latency"
                else each
                for each in objectives.constraints
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """What a study keeps; the parts are in the store."""
        return {
            "setting": self.setting,
            "spec": self.spec.to_dict(),
            "device": self.device.to_dict(),
            "limit_ms": self.limit,
            "up_to": self.up_to,
            "line": self.predictor.to_dict(),
        }


def prepare_latency(
    store: Store,
    config: Config,
    found: StudyRecord | None,
    say: Say,
    make_meter: MakeMeter = start_meter,
) -> LatencyPlan | None:
    """The plan of a study: measured now where it is new and the store lacks something.

    Args:
        store: to read from, and for what is measured.
        config: of the study. found: the study, where it is there.
        say: told how it goes. make_meter: starts who measures.

    Returns:
        None for a study that wants nothing of latency.

    Raises:
        InputError: this machine cannot measure it, a study that is there was begun on another
            device, or nothing in the space is predicted to keep the limit.
        NotMeasured: what was to be measured does not run.
    """
    wanted = config.latency
    if wanted is None:
        return None
    for caution in cautions(wanted.spec):
        say(f"Latency: {caution}.")
    meter = make_meter(wanted.spec, None, config.search_space.plugins)
    try:
        if found is not None:
            return _plan_here(store, found, meter, say)
        return _new_plan(store, config, wanted, meter, say)
    finally:
        meter.close()


def _plan_here(store: Store, study: StudyRecord, meter: Measures, say: Say) -> LatencyPlan:
    """The plan of a study, which goes on also on a machine that is slower than its own."""
    plan = plan_of_study(store, study, meter.device)
    table, _ = stored_table(store, plan.spec, plan.device)
    again = measured_again(table, meter)
    if again is not None and not again.fits:
        say(f"Latency: warning: {again.sentence}.")
    return plan


def _new_plan(
    store: Store, config: Config, wanted: LatencyConfig, meter: Measures, say: Say
) -> LatencyPlan:
    bounds = config.parsed_objectives.constraints
    limit = next((bound.upper for bound in bounds if bound.name == "latency"), None)
    space = config.search_space
    built = build_table(store, space, wanted, limit, meter, say)
    say(f"Latency on {built.table.device.name} ({wanted.spec.words}): {built.predictor.words}.")
    if limit is not None:
        share = refuse_unreachable(space, built.predictor, limit)
        say(f"Latency: {percent(share)} of random networks may keep {limit:g} ms.")
    return LatencyPlan(
        wanted.spec, meter.device, limit, built.predictor, built.up_to, built.table.pace
    )


def plan_of_study(
    store: Store, study: StudyRecord, device: DeviceIdentity | None = None
) -> LatencyPlan:
    """The plan that a study was begun with.

    Args:
        device: of this machine; None where nothing will be measured.

    Raises:
        InputError: where="latency", the study was begun on another device.
    """
    kept: Mapping[str, Any] = study.objective["latency"]
    theirs = DeviceIdentity.from_dict(kept["device"], "latency.device")
    spec = LatencySpec.from_dict(kept["spec"])
    if device is not None:
        differing = setting_differences(device.to_dict(), theirs.to_dict())
        if differing:
            message = f"the study measures on another device: {'; '.join(differing)}"
            raise InputError.of("latency", message)
    table, up_to = stored_table(store, spec, theirs, kept["up_to"])
    predictor = Predictor.from_dict(kept["line"], table.milliseconds())
    return LatencyPlan(spec, theirs, kept["limit_ms"], predictor, up_to, table.pace)


def stored_latencies(store: Store, study: StudyRecord) -> Callable[[Architecture], Values]:
    """What was measured of each network, for a study that has latency; nothing for another."""
    kept = study.objective.get("latency")
    found = store.latencies.counting(kept["setting"]) if kept else {}
    figures = {id_: {"latency": record.median_ms} for id_, record in found.items()}
    return lambda architecture: figures.get(architecture.id, {})
