"""What a study is for besides accuracy, which of its results keep its bounds, how it searches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from search.objective_parsing import stored_objectives
from search.objectives import ACCURACY, Constraint, Objectives
from search.query.best_row import BestRow
from search.query.evaluated import evaluated, latency_records, measured_bounds
from search.query.leaderboard import best
from search.store.records import LatencyRecord, StudyRecord
from search.store.store import Store
from search.trial_states import TrialState
from space.errors import InputError
from space.wording import NONE, count, percent, short, some


@dataclass(frozen=True, slots=True)
class StudyObjectives:
    """The objectives of a study beside its results.

    Attributes:
        objectives: of the study.
        kept: by id of every completely trained architecture whether it keeps the bounds on
            measured metrics, the most accurate first; empty where there are no such bounds.
        latencies: by id of every architecture that was measured on the study's device the
            milliseconds that count; empty for a study without latency.
        latency_sentence: where these come from; None for a study without latency.
    """

    objectives: Objectives
    kept: Mapping[str, bool]
    latencies: Mapping[str, float] = field(default_factory=dict)
    latency_sentence: str | None = None

    @property
    def bounds(self) -> tuple[Constraint, ...]:
        """The constraints on measured metrics; the space itself keeps those on costs."""
        return measured_bounds(self.objectives)

    @property
    def accuracy_alone(self) -> bool:
        """Whether the highest accuracy is all that the study wants."""
        return self.objectives.objectives == ACCURACY.objectives

    def keeps(self, row: BestRow) -> bool | None:
        """Whether a row keeps the bounds; None without bounds, and for what is not complete.

        What a pruned trial would have come to is not known.
        """
        return self.kept.get(row.architecture_id) if row.state is TrialState.COMPLETE else None

    def may_be_retrained(self, row: BestRow) -> bool:
        """Whether `retrain --top` may choose a row: it is complete, and keeps the bounds."""
        return bool(self.keeps(row)) if self.bounds else row.is_complete

    def latency(self, row: BestRow) -> float | None:
        """The measured latency of a row in milliseconds; None where there is none."""
        return self.latencies.get(row.architecture_id)

    def word(self, row: BestRow) -> str:
        """What a table says of it."""
        return {True: "kept", False: "broken", None: NONE}[self.keeps(row)]

    @property
    def keeping(self) -> list[str]:
        """The ids of those that keep the bounds, the most accurate first."""
        return [id_ for id_, keeps in self.kept.items() if keeps]

    @property
    def sentences(self) -> list[str]:
        """What the highest accuracy does not tell; nothing where accuracy is all."""
        said = []
        if not self.accuracy_alone:
            wanted = " and ".join(
                f"{each.name} as {'high' if each.direction == 'maximise' else 'low'}"
                for each in self.objectives
            )
            said.append(f"The study wants {wanted} as possible, not accuracy alone.")
        said += [self._of_bounds()] if self.bounds else []
        return [*said, *([self.latency_sentence] if self.latency_sentence else [])]

    def plain(self) -> dict[str, Any]:
        """For JSON: the objectives, and the ids that keep the measured bounds; null without any."""
        return {
            "objectives": {each.name: each.direction for each in self.objectives},
            "constraints": {each.name: each.bounds for each in self.objectives.constraints},
            "keeping_constraints": self.keeping if self.bounds else None,
            **({"latency": self.latency_sentence} if self.latency_sentence else {}),
        }

    def _of_bounds(self) -> str:
        total, keeping = len(self.kept), self.keeping
        named = f"the study's constraints ({bound_words(self.bounds)})"
        if not total:
            return f"No architecture is completely trained yet: nothing keeps {named} so far."
        if not keeping:
            return f"None of {count(total, 'completely trained architecture')} keeps {named}."
        verb = "keeps" if len(keeping) == 1 else "keep"
        trained = count(total, "completely trained architecture")
        return f"{len(keeping):,} of {trained} {verb} {named}: {some(keeping)}."


def study_objectives(store: Store, study: str) -> StudyObjectives:
    """The objectives of a study; the store's results are read only where there are measured bounds.

    Raises:
        InputError: an unknown study.
    """
    objective = store.studies.get(study).objective
    objectives = stored_objectives(objective)
    bounds = measured_bounds(objectives)
    records = latency_records(store, study)
    latency = (
        {id_: record.median_ms for id_, record in records.items()},
        latency_sentence(objective.get("latency"), records.values()),
    )
    if not bounds:
        return StudyObjectives(objectives, {}, *latency)
    rows = evaluated(store, study, {bound.name for bound in bounds})
    measured = Objectives(objectives.objectives, bounds)
    return StudyObjectives(
        objectives, {row.architecture_id: measured.keeps(row.values) for row in rows}, *latency
    )


def best_within_bounds(store: Store, study: str, top: int, purpose: str) -> list[BestRow]:
    """The most accurate completely trained architectures that keep the bounds of a study.

    Args:
        store: where to look. study: its name.
        top: how many, if there are so many.
        purpose: what they are wanted for, such as "export".

    Raises:
        InputError: an unknown study, or one without any.
    """
    rows = [row for row in best(store, study=study, top=None) if row.is_complete]
    if not rows:
        raise InputError.of("study", f"{study!r} has no complete trial to {purpose}")
    wanted = study_objectives(store, study)
    if found := [row for row in rows if wanted.keeps(row) is not False]:
        return found[:top]
    bounds = bound_words(wanted.bounds)
    message = f"no complete trial of {study!r} keeps its constraints ({bounds})"
    raise InputError.of("study", f"{message}; name what to {purpose} by its id")


def latency_sentence(
    plan: Mapping[str, Any] | None, records: Iterable[LatencyRecord]
) -> str | None:
    """Where the latencies of a study come from; None for a study without latency.

    Args:
        plan: what the study keeps of it. records: the measurements that count.
    """
    if plan is None:
        return None
    spec, every, error = plan["spec"], list(records), plan["line"]["error"]
    disturbed = sum(record.disturbed for record in every)
    how = f"batch {spec['batch']}, {spec['precision']}, {spec['runtime']}"
    how += f", threads {spec['threads']}" if "threads" in spec else ""
    said = f"Latencies are medians measured on {plan['device']['name']} ({how})"
    if disturbed:
        said += f", {disturbed:,} of {len(every):,} while the machine was not quiet"
    if error is not None:
        said += (
            f"; the search went by predictions, off by {error['median']:.1%} in the median and "
            f"{error['largest']:.1%} at most on {count(error['n'], 'held-out network')}"
        )
    return f"{said}."


def bound_words(bounds: tuple[Constraint, ...]) -> str:
    """Such as "validation_accuracy at least 0.9 and macs at most 6e+06"."""
    units = {"latency": " ms"}
    return " and ".join(f"{b.name} {b.bounds}{units.get(b.name, '')}" for b in bounds)


def metric_words(name: str, value: float) -> str:
    """Such as "91.23%" of an accuracy, "0.4321" of a loss, "3.74G" of a cost, "4.82 ms"."""
    if name == "validation_accuracy":
        return percent(value)
    if name == "latency":
        return f"{value:.3g} ms"
    return f"{value:.4f}" if name == "validation_loss" else short(round(value))


def method_sentence(study: StudyRecord) -> str:
    """The searcher and the scheduler with their options, also those of another package."""
    searcher = _with_options(study.searcher, study.config.get("searcher"))
    scheduler = _with_options(study.scheduler, study.config.get("scheduler"))
    return f"Searcher: {searcher}. Scheduler: {scheduler}."


def _with_options(name: str, chosen: Any) -> str:
    """Such as "asha (grace_epochs 1, reduction_factor 3)", as it was stored."""
    options = chosen if isinstance(chosen, Mapping) else {}
    words = [f"{option} {_word(value)}" for option, value in options.items() if option != "name"]
    return f"{name} ({', '.join(words)})" if words else name


def _word(value: object) -> str:
    return "null" if value is None else f"{value}"
