"""A study that is in a store: what came of it, its networks, and more work on it."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mixspace.arguments import (
    CLAUSE,
    DEVICE,
    FLAG,
    IDS,
    NAME_OR_NONE,
    NUMBERS,
    PROTOCOL,
    refuse_wrong_types,
)
from mixspace.running import NextCalls, carry_out
from mixspace.study_results import StudyResults
from search.config import Config, overrides_of
from search.driver.extra_trials import ExtraTrialsRequest
from search.next_steps import MoreWork
from search.query import SplitComparison
from search.runner.final_test import to_test
from search.runner.going_on import to_continue
from search.runner.retraining import repeat_or_retrain, to_retrain
from trainers import Protocol


class Study(StudyResults):
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


def _say_nothing(text: str) -> None:
    """Where nobody wants to hear how it goes."""
