"""A study that is in a store: what came of it, its networks, and more work on it."""

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mixspace.arguments import (
    CLAUSE,
    DEVICE,
    FLAG,
    ID,
    ID_OR_NONE,
    IDS,
    NAME,
    NAME_OR_NONE,
    NUMBERS,
    PROTOCOL,
    SHARE,
    STORE,
    refuse_wrong_types,
)
from mixspace.effects import effects_dataframe
from mixspace.fidelity import fidelity_dataframe
from mixspace.handing_over import export
from mixspace.loading import trained_network
from mixspace.running import NextCalls, carry_out
from mixspace.trials import trials_dataframe
from search.config import Config, overrides_of
from search.driver.extra_trials import ExtraTrialsRequest
from search.effects import MARGIN
from search.next_steps import DEFAULT_STORE, STORE_VARIABLE, MoreWork
from search.objective_parsing import stored_objectives
from search.query import (
    BestRow,
    Cost,
    Evaluated,
    SplitComparison,
    best,
    front,
    paired_fidelity,
    pareto_front,
    study_effects,
    study_fidelity,
)
from search.runner import RunOutcome
from search.runner.final_test import to_test
from search.runner.going_on import stored_config, to_continue
from search.runner.retraining import repeat_or_retrain, to_retrain
from search.store import Store, StudyRecord, StudySummary
from search.store.open import open_to_look_up
from search.store.url import display, is_sqlite, parse_url, sqlite_path
from search.visualization.small_front import small_front
from space import Architecture, DesignSpace
from space.custom.plugins import load_known_plugins
from space.errors import MixspaceError
from space.html import table
from space.wording import NONE, percent, short
from trainers import Protocol

if TYPE_CHECKING:
    from pandas import DataFrame
    from torch import nn

    from trainers.export import Exported

_SHOWN = 5
_MOST_DRAWN = 5_000
"""Trials of which a cell draws the front; of more it would be slow to come."""


class Study:
    """A handle on a study; what it is asked is read from the store each time.

    Attributes:
        name: of the study.
        store: where it is, passwords hidden.
        outcome: of the run that returned this handle; None otherwise.

    Args:
        name: of a study that is there.
        store: a file, sqlite:///FILE or postgresql://…; None takes MIXSPACE_STORE, else
            mixspace.db.

    Raises:
        InputError: there is no such store, or no such study in it, with the names that come near.
    """

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

    def effects(self, *, margin: float = MARGIN) -> "DataFrame":
        """What each design decision does, by paired differences: a row for each move.

        A move is an edge of the paper's relation graph, another value of an axis, another type or
        size of mixer, or another type of block. Its `effect` is the mean difference of validation
        accuracies (0 to 1, target less source) between networks that are equal in all else, with
        `low` and `high` of 95 % over contexts, `effect_in_…` by type of block, the ratio of each
        cost, and a verdict in words. `attrs` has the notes.

        Args:
            margin: a difference of accuracies (0 to 1) that matters to nobody.

        Raises:
            InputError: no such study.
        """
        refuse_wrong_types(margin=(margin, SHARE))
        with self.opened() as store:
            return effects_dataframe(study_effects(store, [self.name], margin=margin)[0])

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

    # --- more work ----------------------------------------------------------------------------

    def continue_(
        self,
        *,
        trials: int | None = None,
        pruned: int = 0,
        failed: bool = False,
        infeasible: bool = False,
        numbers: Collection[int] = (),
        address: str | None = None,
        progress: bool = True,
        **fields: Any,
    ) -> "Study":
        """Go on: with what was interrupted, what is planned, and with ended trials on request.

        Args:
            trials: raises the planned number of trials.
            pruned: so many of the best pruned trials are trained to their end.
            failed, infeasible: whether these are tried again.
            numbers: of pruned, failed or infeasible trials that go on.
            address, progress: as of `mixspace.run`.
            fields: of the configuration, those that decide nothing about the results.

        Raises:
            InputError: it keeps such a field, or has no such trial.
            StoreError, RunFailed: as of `mixspace.run`.
        """
        refuse_wrong_types(
            failed=(failed, FLAG), infeasible=(infeasible, FLAG), numbers=(numbers, NUMBERS)
        )
        asked = {"trials": trials, "pruned": pruned, "failed": failed, "infeasible": infeasible}
        config, extra_request = to_continue(
            self._url,
            self.name,
            trials=trials,
            pruned=pruned,
            failed=failed,
            infeasible=infeasible,
            numbers=tuple(numbers),
            overrides=overrides_of(fields),
        )
        work = MoreWork("continue", asked | {"numbers": tuple(numbers)})
        return self._more_work(config, work, address, progress, extra_request)

    def repeat(
        self,
        top: int = 5,
        seeds: int = 3,
        *,
        address: str | None = None,
        progress: bool = True,
        **fields: Any,
    ) -> "Study":
        """Train the best again with other seeds: `best` then has mean and spread.

        Args:
            top: how many architectures.
            seeds: until each has results of so many, the first one included; at least 2.
            address, progress, fields: as of `continue_`.

        Returns:
            This study; of one whose trials inherit weights that in which its best are retrained.

        Raises:
            InputError: it has no complete trial, or keeps such a field.
            StoreError, RunFailed: as of `mixspace.run`.
        """
        overrides = overrides_of(fields)
        config, extra_request = repeat_or_retrain(
            self._url, self.name, top=top, seeds=seeds, overrides=overrides
        )
        work = MoreWork("repeat", {"top": top, "seeds": seeds}, self.name)
        return self._more_work(config, work, address, progress, extra_request)

    def retrain(
        self,
        ids: Sequence[str] = (),
        *,
        top: int | None = None,
        where: str | None = None,
        protocol: str | Path | Protocol | Mapping[str, Any] | None = None,
        seeds: int = 3,
        name: str | None = None,
        address: str | None = None,
        progress: bool = True,
        **fields: Any,
    ) -> "Study":
        """Train chosen networks in full, with new seeds, in a study of their own.

        The images, their split and the size of the input are those of this study. The same call
        again goes on where it was interrupted; with more seeds or other networks it adds them.

            study.retrain(top=3, protocol="small-images-30")
            study.retrain(["3f2a"], protocol={"epochs": 60}, seeds=5)

        Args:
            ids: beginnings of architectures' ids; or
            top: so many of the best, of those that fulfil the clause `where`.
            protocol: the name of one that comes with mixspace, or the path of a YAML file; a
                Protocol; or a mapping of the fields that change of this study's own. None is this
                study's own, or the one by which they are being trained already.
            seeds: how often each is trained; with one nothing is known of the spread.
            name: of the new study; else it is made of this one's.
            address, progress: as of `mixspace.run`.
            fields: of the configuration: where the images lie (`data`), the `seed`, the study that
                a protocol finetunes (`finetune_from`), and those that decide nothing about the
                results.

        Returns:
            The study of the full trainings.

        Raises:
            InputError: naming whatever of it cannot be done; nothing was written.
            StoreError, RunFailed: as of `mixspace.run`.
        """
        refuse_wrong_types(
            ids=(ids, IDS),
            where=(where, CLAUSE),
            name=(name, NAME_OR_NONE),
            protocol=(protocol, PROTOCOL),
        )
        changes = {"protocol": protocol} if isinstance(protocol, Mapping) else {}
        given = None if isinstance(protocol, Mapping) else protocol
        found = to_retrain(
            self._url,
            ids=ids,
            top=top,
            study=self.name,
            where=where,
            protocol=given,
            seeds=seeds,
            name=name,
            overrides=overrides_of(changes | fields),
        )
        asked = {"ids": tuple(ids), "top": top, "where": where, "protocol": protocol}
        work = MoreWork("retrain", asked | {"seeds": seeds, "name": name} | fields, self.name)
        return self._more_work(found.config, work, address, progress, found.request)

    def test(
        self,
        ids: Sequence[str] = (),
        *,
        top: int | None = None,
        again: bool = False,
        device: str | None = None,
        progress: bool = True,
        **fields: Any,
    ) -> SplitComparison:
        """Read the test split, once for each complete training of chosen networks of this study.

        Every reading is in the store before its images are read. What was tested before is left as
        it is; where all of it was, the call is refused.

        Args:
            ids: beginnings of architectures' ids; or
            top: so many of the best by validation; 1 unless given.
            again: whether to read it again for what was tested: kept, and counted.
            device: such as "cuda:1"; None takes the GPU where there is one, else the CPU.
            progress: whether each accuracy is said on stderr.
            fields: of the configuration, where the images lie now: data={"folder": …}.

        Returns:
            The networks with their figures by search, validation and test.

        Raises:
            InputError: naming whatever stands against it; nothing was read or written.
            TestSplitLocked: while a search runs in this process.
        """
        refuse_wrong_types(
            ids=(ids, IDS), again=(again, FLAG), device=(device, DEVICE), progress=(progress, FLAG)
        )
        say: Callable[[str], None] = partial(print, file=sys.stderr) if progress else _say_nothing
        test = to_test(
            self._url,
            ids=ids,
            study=self.name,
            top=top if ids else top or 1,
            again=again,
            device=device,
            overrides=overrides_of(fields),
            say=say,
        )
        for note in test.notes:
            say(f"note: {note}")
        return test.run(say)

    @staticmethod
    def _more_work(
        config: Config,
        work: MoreWork,
        address: str | None,
        progress: bool,
        extra_request: ExtraTrialsRequest | None,
    ) -> "Study":
        outcome = carry_out(
            config,
            NextCalls(config, work),
            resume=True,
            address=address,
            progress=progress,
            extra_request=extra_request,
        )
        return Study.after_run(config, outcome)

    # --- for notebooks ------------------------------------------------------------------------

    def _repr_html_(self) -> str:
        try:
            with self.opened() as store:
                return self._html(store)
        except MixspaceError as error:  # a cell shows what there is to say
            return f"<p>{escape(f'{self!r}: {error}')}</p>"

    def _html(self, store: Store) -> str:
        summary = store.studies.summary(store.studies.get(self.name).id)
        planned = summary.planned_trials + summary.repeated
        few = summary.trials <= _MOST_DRAWN
        rows = best(store, study=self.name, top=None if few else _SHOWN)
        picture = _front_picture(rows) if few else ""
        bar = f'<progress value="{min(summary.ended_trials, planned)}" max="{planned}"></progress>'
        columns = ("architecture", "accuracy", "params", "FLOPs", "epochs", "state", "token mixers")
        said = self._progress(summary)
        return table(said, columns, map(_shown, rows[:_SHOWN]), f"{bar}<br/>{picture}")

    def _progress(self, summary: StudySummary) -> str:
        planned = summary.planned_trials + summary.repeated
        states = ", ".join(f"{n:,} {state}" for state, n in summary.counts.items() if n)
        said = f"{self!r}: {summary.ended_trials:,} of {planned:,} trials done ({states or NONE})"
        stopped = "" if self.outcome is None else self.outcome.reason
        return f"{said}; stopped: {stopped}" if stopped else said


def _say_nothing(text: str) -> None:
    """Where nobody wants to hear how it goes."""


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
