"""What came of a study that is in a store, and its networks."""

import os
from collections.abc import Collection
from html import escape
from typing import TYPE_CHECKING, Self

from mixspace.arguments import (
    CLAUSE,
    ID,
    ID_OR_NONE,
    NAME,
    NAME_OR_NONE,
    SHARE,
    STORE,
    refuse_wrong_types,
)
from mixspace.effects import effects_dataframe
from mixspace.fidelity import fidelity_dataframe
from mixspace.handing_over import export
from mixspace.importance import importance_dataframe
from mixspace.loading import trained_network
from mixspace.trials import trials_dataframe
from search.config import Config
from search.effects import MARGIN
from search.next_steps import DEFAULT_STORE, STORE_VARIABLE
from search.objective_parsing import stored_objectives
from search.query import (
    BestRow,
    Cost,
    Evaluated,
    best,
    front,
    paired_fidelity,
    pareto_front,
    study_effects,
    study_fidelity,
    study_importance,
)
from search.runner import RunOutcome
from search.runner.going_on import stored_config
from search.store import Store, StudyRecord, StudySummary
from search.store.open import open_to_look_up
from search.store.url import display, is_sqlite, parse_url, sqlite_path
from search.visualization.small_front import small_front
from space import Architecture, DesignSpace
from space.custom.plugins import load_known_plugins
from space.errors import MixspaceError
from space.html import table
from space.wording import NONE, percent, short

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import nn

    from trainers.export import Exported

_SHOWN = 5
_MOST_DRAWN = 5_000
"""Trials of which a cell draws the front; of more it would be slow to come."""


class StudyResults:
    """What came of a study; it is read from the store each time. See `mixspace.Study`."""

    def __init__(self, name: str, store: str | os.PathLike[str] | None = None) -> None:
        refuse_wrong_types(name=(name, NAME), store=(store, STORE))
        given = os.environ.get(STORE_VARIABLE) or DEFAULT_STORE if store is None else store
        self._set(name, os.fspath(given), None)
        load_known_plugins(self._record().space)

    @classmethod
    def after_run(cls, config: Config, outcome: RunOutcome) -> Self:
        """The study of a run that has ended, perhaps before anything was written."""
        made = cls.__new__(cls)
        made._set(config.study, config.store, outcome)
        return made

    def _set(self, name: str, store: str, outcome: RunOutcome | None) -> None:
        url = parse_url(store)
        # A relative path means the same file wherever the process goes.
        self._url = str(sqlite_path(url)) if is_sqlite(url) else store
        self.name, self.outcome = name, outcome
        self.store = self._url if is_sqlite(url) else display(url)

    def opened(self) -> Store:
        """Its store, open to be read; to be closed, as by `with`."""
        return open_to_look_up(self._url)

    def _record(self) -> StudyRecord:
        with self.opened() as store:
            return store.studies.get(self.name)

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {self.store!r})"

    # --- what it is ---------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration that it was made with, and the trials that are planned by now."""
        return stored_config(self._url, self.name)

    @property
    def space(self) -> DesignSpace:
        """The space that is searched, narrowed to what constraints on costs allow."""
        return self.config.search_space

    # --- what came of it ----------------------------------------------------------------------

    def trials_dataframe(self) -> "DataFrame":
        """One row a trial, in order of their numbers; columns as in `mixspace.trials.COLUMNS`."""
        with self.opened() as store:
            return trials_dataframe(store, store.studies.get(self.name))

    def best(self, where: str | None = None, top: int | None = 10) -> list[BestRow]:
        """The best architectures, the most accurate first; those stopped early behind all others.

        Args:
            where: a clause such as "params < 200k and any dynamics = attention".
            top: how many; None is all.

        Raises:
            InputError: a malformed clause, which is marked, or a number that is none.
        """
        refuse_wrong_types(where=(where, CLAUSE))
        with self.opened() as store:
            return best(store, where=where, study=self.name, top=top)

    def pareto(self, cost: Cost = "params", where: str | None = None) -> list[BestRow]:
        """The front of accuracy against a cost, of what was trained to the end; cheapest first.

        Args:
            cost: "params" or "macs".
            where: only architectures that fulfil this clause.

        Raises:
            InputError: another cost, or a malformed clause.
        """
        return pareto_front([row for row in self.best(where, None) if row.is_complete], cost)

    def front(self, where: str | None = None) -> list[Evaluated]:
        """The front over the study's own objectives, the best by the first of them first.

        Raises:
            InputError: a malformed clause.
        """
        refuse_wrong_types(where=(where, CLAUSE))
        with self.opened() as store:
            objectives = stored_objectives(store.studies.get(self.name).objective)
            return front(store, self.name, objectives, where=where)

    def fidelity(self, full: str | None = None) -> "DataFrame":
        """What each proxy is worth: how far its order is that of full training, a row each.

        Proxies are the accuracy and the training loss after earlier epochs, params, MACs, memory
        and pace; columns begin with `tau`, `top_tenth`, `recall_…` and so on, and `attrs` has the
        ceiling that seeds set.

        Args:
            full: the name of a study of another protocol, in the same store: then the epochs of
                this one are the proxies, and the results of that one what they are held to.

        Raises:
            InputError: no such study, or one with which this one cannot be paired.
        """
        refuse_wrong_types(full=(full, NAME_OR_NONE))
        with self.opened() as store:
            if full is not None:
                return fidelity_dataframe(paired_fidelity(store, self.name, full))
            return fidelity_dataframe(study_fidelity(store, [self.name])[0])

    def effects(self, where: str | None = None, *, margin: float = MARGIN) -> "DataFrame":
        """What each design decision does, by paired differences: a row for each move.

        A move is an edge of the paper's relation graph, another value of an axis, another type or
        size of mixer, or another type of block. Its `effect` is the mean difference of validation
        accuracies (0 to 1, target less source) between networks that are equal in all else, with
        `low` and `high` of 95 % over contexts, `effect_in_…` by type of block, the ratio of each
        cost, and a verdict in words. `attrs` has the notes.

        Args:
            where: only trainings that fulfil this clause; a note says what it leaves out.
            margin: a difference of accuracies (0 to 1) that matters to nobody.

        Raises:
            InputError: no such study, or a malformed clause.
        """
        refuse_wrong_types(where=(where, CLAUSE), margin=(margin, SHARE))
        with self.opened() as store:
            (found,) = study_effects(store, [self.name], where=where, margin=margin)
            return effects_dataframe(found)

    def importance(self, where: str | None = None) -> "DataFrame":
        """How much each axis explains of the variance of accuracies: a row for each axis.

        A `share` (0 to 1) is beyond all other axes, with `low` and `high` of 95 % by the bootstrap
        over networks; `alone` is with all that comes with the axis. Then come pairs of axes that
        explain something only together. It is of complete trainings, and needs no pairs of
        networks. `attrs` has the notes.

        Args:
            where: only trainings that fulfil this clause; a note says what it leaves out.

        Raises:
            InputError: no such study, or a malformed clause.
        """
        refuse_wrong_types(where=(where, CLAUSE))
        with self.opened() as store:
            (found,) = study_importance(store, [self.name], where=where)
            return importance_dataframe(found)

    def architecture(self, architecture_id: str) -> Architecture:
        """The architecture of an id, or of the beginning of one.

        Raises:
            InputError: none has it, or several.
        """
        refuse_wrong_types(architecture_id=(architecture_id, ID))
        with self.opened() as store:
            return Architecture.from_json(store.architectures.get(architecture_id).json)

    def load(self, architecture_id: str | None = None) -> "nn.Module":
        """A network with its trained weights, on the CPU, in evaluation mode.

        Its weights are those of the last epoch, the average of the weights where the protocol has
        one. Under `judged_by: last` they score the accuracy of the trial, else its `last_accuracy`.

        Args:
            architecture_id: or the beginning of it; None takes that of the best mean which keeps
                the bounds of the study. Of several trainings it is the most accurate one.

        Returns:
            (B, channels, height, width) images, normalised as the data of the search are, to
            (B, classes) logits.

        Raises:
            InputError: nothing of the kind was trained, or its checkpoint is gone or damaged.
        """
        refuse_wrong_types(architecture_id=(architecture_id, ID_OR_NONE))
        with self.opened() as store:
            return trained_network(store, store.studies.get(self.name), self._url, architecture_id)

    def export(
        self,
        to: str | os.PathLike[str],
        architecture_id: str | None = None,
        *,
        trial: int | None = None,
        without: Collection[str] = (),
        force: bool = False,
    ) -> "Exported":
        """Write a folder with a trained network of this study, as `mixspace.export` does.

        Args:
            to: the folder: not there, empty, or with `force` an earlier export.
            architecture_id: or the beginning of it; None takes that of the best mean which keeps
                the bounds of the study.
            trial: the number of one of its trainings; None is the most accurate one.
            without, force: as of `mixspace.export`.

        Raises:
            InputError: as of `mixspace.export`, or the study has no complete trial.
            NotEqual, ExportFailed: as of `mixspace.export`.
        """
        return export(
            architecture_id,
            to,
            store=self._url,
            study=self.name,
            trial=trial,
            without=without,
            force=force,
        )

    # --- for notebooks ------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        try:
            with self.opened() as store:
                return self._html(store)
        except MixspaceError as error:  # a cell shows what there is to say
            return f"<p>{escape(f'{self!r}: {error}')}</p>"

    def _html(self, store: Store) -> str:
        summary = store.studies.summary(store.studies.get(self.name).id)
        planned = summary.all_planned_trials
        few = summary.trials <= _MOST_DRAWN
        rows = best(store, study=self.name, top=None if few else _SHOWN)
        picture = _front_picture(rows) if few else ""
        bar = f'<progress value="{min(summary.ended_trials, planned)}" max="{planned}"></progress>'
        columns = ("architecture", "accuracy", "params", "FLOPs", "epochs", "state", "token mixers")
        said = self._progress(summary)
        return table(said, columns, map(_shown, rows[:_SHOWN]), f"{bar}<br/>{picture}")

    def _progress(self, summary: StudySummary) -> str:
        planned = summary.all_planned_trials
        states = ", ".join(f"{n:,} {state}" for state, n in summary.counts.items() if n)
        said = f"{self!r}: {summary.ended_trials:,} of {planned:,} trials done ({states or NONE})"
        stopped = "" if self.outcome is None else self.outcome.reason
        return f"{said}; stopped: {stopped}" if stopped else said


def _shown(row: BestRow) -> tuple[object, ...]:
    """A line of the table."""
    costs = short(row.params), short(row.macs)
    made_of = row.epochs, row.state, row.operators
    return row.architecture_id, percent(row.accuracy), *costs, *made_of


def _front_picture(rows: list[BestRow]) -> str:
    """Accuracy against params, as SVG; nothing where no complete trial has an accuracy."""
    whole = [row for row in rows if row.is_complete]
    points = [(row.params, row.accuracy) for row in whole if row.accuracy is not None]
    corners = [(row.params, row.accuracy or 0.0) for row in pareto_front(whole)]
    return small_front(points, corners, "params") if points else ""
