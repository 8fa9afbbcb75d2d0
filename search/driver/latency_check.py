"""Measures networks again, in a new process, beside what the store has of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from search.driver.latency_plan import MakeMeter, plan_of_study, start_meter
from search.driver.latency_table import TURNS, stored_table
from search.query import best, latency_records, networks
from search.store import LatencyRecord, Store, StudyRecord
from space import Architecture
from space.errors import InputError
from trainers.latency import DeviceIdentity, LatencySpec, PredictionError, Predictor, setting_id
from trainers.latency.device import setting_differences
from trainers.latency.figure import Latency

PROMISE = 0.05
"""What a search returns under a limit does not measure above it by more."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A network, measured again.

    Attributes:
        stored: the measurement that counted until now; None where there was none.
        now: the new one.
        predicted: milliseconds, of a study; None where nothing predicts it.
        limit: of the study, in milliseconds.
    """

    architecture_id: str
    stored: LatencyRecord | None
    now: Latency
    predicted: float | None
    limit: float | None

    @property
    def change(self) -> float | None:
        """How far the new median is from the stored one, relative."""
        return None if self.stored is None else self.now.median_ms / self.stored.median_ms - 1

    @property
    def above(self) -> float | None:
        """How far the new median is above the limit, relative; 0 within it."""
        return None if self.limit is None else max(self.now.median_ms / self.limit - 1, 0.0)

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None without a limit."""
        return None if self.above is None else self.above <= PROMISE

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "architecture_id": self.architecture_id,
            "stored_ms": None if self.stored is None else self.stored.median_ms,
            "predicted_ms": self.predicted,
            "limit_ms": self.limit,
            "change": self.change,
            "above_limit": self.above,
            "kept": self.kept,
            "measured": self.now.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class ToCheck:
    """What is measured again.

    Attributes:
        networks: which. spec, device: how, and on what the stored figures were measured.
        limit: in milliseconds. predictor: of the study.
    """

    networks: Sequence[Architecture]
    spec: LatencySpec
    device: DeviceIdentity
    limit: float | None = None
    predictor: Predictor | None = None
    plugins: tuple[str, ...] = ()


def of_study(store: Store, study: StudyRecord, top: int) -> ToCheck:
    """What a study returns: its completely trained networks that keep its limit, the best first.

    Raises:
        InputError: it has no latency, or returns nothing.
    """
    if not study.objective.get("latency"):
        raise InputError.of("study", f"{study.name!r} neither wants nor limits latency")
    plan, found = plan_of_study(store, study), latency_records(store, study.name)
    rows = best(store, study=study.name, where="state = complete", top=None)
    limit = float("inf") if plan.limit is None else plan.limit
    ids = [row.architecture_id for row in rows]
    keeping = [id_ for id_ in ids if id_ in found and found[id_].median_ms <= limit][:top]
    if not keeping:
        raise InputError.of("study", f"{study.name!r} has no complete trial that keeps its limit")
    plugins = tuple(study.space.get("plugins", ()))
    kept = networks(store, study.name, keeping)
    return ToCheck(kept, plan.spec, plan.device, plan.limit, plan.predictor, plugins)


def of_ids(store: Store, ids: Sequence[str], setting: str | None) -> ToCheck:
    """Single architectures of the store.

    Args:
        ids: or their beginnings.
        setting: the id of one, or its beginning; None takes the only one that there is.

    Raises:
        InputError: an id that is none, or a setting that is not clear.
    """
    every = store.latencies.settings()
    if setting is None and len(every) != 1:
        known = ", ".join(each.id for each in every) or "none yet: `latency build` makes one"
        raise InputError.of("--setting", f"say in which one; the store has {known}")
    chosen = every[0] if setting is None else store.latencies.setting(setting)
    found = [Architecture.from_json(store.architectures.get(each).json) for each in ids]
    device = DeviceIdentity.from_dict(chosen.device)
    return ToCheck(found, LatencySpec.from_dict(chosen.spec), device)


def check(store: Store, asked: ToCheck, make_meter: MakeMeter = start_meter) -> list[Checked]:
    """Measure networks in a new process, and write the figures down.

    Raises:
        InputError: where="latency", this is another device than that of the stored figures.
        NotMeasured: one does not run.
    """
    setting = setting_id(asked.spec, asked.device)
    table, _ = stored_table(store, asked.spec, asked.device)
    meter = make_meter(asked.spec, table.pace, asked.plugins)
    try:
        differing = setting_differences(meter.device.to_dict(), asked.device.to_dict())
        if differing:
            message = f"the stored figures are of another device: {'; '.join(differing)}"
            raise InputError.of("latency", message)
        found: list[Checked] = []
        for start in range(0, len(asked.networks), TURNS):
            together = asked.networks[start : start + TURNS]
            for network, figure in zip(together, meter.networks(together), strict=True):
                stored = next(iter(store.latencies.of(setting, network.id)), None)
                store.latencies.add(setting, network.id, figure.to_dict(), "check")
                predicted = None if asked.predictor is None else asked.predictor(network)
                found.append(Checked(network.id, stored, figure, predicted, asked.limit))
    finally:
        meter.close()
    return found


def prediction_error(checked: Sequence[Checked]) -> PredictionError | None:
    """How far predictions were off; None where nothing was predicted."""
    pairs = [(c.predicted, c.now.median_ms) for c in checked if c.predicted is not None]
    if not pairs:
        return None
    return PredictionError.of([p for p, _ in pairs], [measured for _, measured in pairs])
