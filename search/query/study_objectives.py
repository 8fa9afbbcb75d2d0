"""What a study is for besides accuracy, which of its results keep its bounds, how it searches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.objective_parsing import stored_objectives
from search.objectives import ACCURACY, Constraint, Objectives
from search.query.evaluated import evaluated, measured_bounds
from search.query.leaderboard import BestRow
from search.store.records import StudyRecord
from search.store.store import Store
from search.trial_states import TrialState
from space.wording import NONE, count, percent, short, some


@dataclass(frozen=True, slots=True)
class StudyObjectives:
    """The objectives of a study beside its results.

    Attributes:
        objectives: of the study.
        kept: by id of every completely trained architecture whether it keeps the bounds on
            measured metrics, the most accurate first; empty where there are no such bounds.
    """

    objectives: Objectives
    kept: Mapping[str, bool]

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
        return [*said, *([self._of_bounds()] if self.bounds else [])]

    def plain(self) -> dict[str, Any]:
        """For JSON: the objectives, and the ids that keep the measured bounds; null without any."""
        return {
            "objectives": {each.name: each.direction for each in self.objectives},
            "constraints": {each.name: each.bounds for each in self.objectives.constraints},
            "keeping_constraints": self.keeping if self.bounds else None,
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
    objectives = stored_objectives(store.studies.get(study).objective)
    bounds = measured_bounds(objectives)
    if not bounds:
        return StudyObjectives(objectives, {})
    rows = evaluated(store, study, {bound.name for bound in bounds})
    measured = Objectives(objectives.objectives, bounds)
    return StudyObjectives(
        objectives, {row.architecture_id: measured.keeps(row.values) for row in rows}
    )


def bound_words(bounds: tuple[Constraint, ...]) -> str:
    """Such as "validation_accuracy at least 0.9 and macs at most 6e+06"."""
    return " and ".join(f"{bound.name} {bound.bounds}" for bound in bounds)


def metric_words(name: str, value: float) -> str:
    """Such as "91.23%" of an accuracy, "0.4321" of a loss, "3.74G" of a cost."""
    if name == "validation_accuracy":
        return percent(value)
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
