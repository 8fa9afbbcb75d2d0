"""Runs a study: checks everything, starts Ray, works until it is done, and cleans up."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol as Interface

from search.config import Config
from search.driver.assignment import TRAINING
from search.driver.extra_trials import NO_EXTRA_TRIALS, ExtraTrials, ExtraTrialsRequest
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.latency_plan import LatencyPlan, prepare_latency
from search.driver.session import StudySession
from search.driver.sources import note_on_classes
from search.driver.stop_request import ALWAYS_HEARD, StopKind, StopRequest
from search.driver.store_retry import StoreRetry, opened_again
from search.driver.study_progress import Progress
from search.driver.study_setup import begin_session, create_study, settle, task_of_study
from search.exit_code import ExitCode
from search.query import best, networks
from search.ray_executor.cluster import Cluster, check_resources, first_line
from search.ray_executor.connection import connected_to_ray
from search.ray_executor.ray_servers import nodes_that_do_not_see, warning_of, watching
from search.ray_executor.tuning import tune_session
from search.ray_executor.watchdog import Watchdog
from search.runner import study_lookup
from search.runner.preflight import (
    Prepared,
    baseline_warning,
    folder_in_use,
    make_checkpoints,
    prepare,
)
from search.runner.run_end import ExitMessage, RunEnd
from search.runner.run_outcome import (
    RunOutcome,
    nothing_left,
    outcome_from_memory,
    outcome_from_store,
    outcome_without_work,
    progress_and_failure,
    stopped_before_it_began,
)
from search.runner.run_record import begin_run, close_journal, end_run, heartbeat_of, killed
from search.runner.stop_signals import StopSignals, stopping_on_signals
from search.store import (
    Heartbeat,
    RunRecord,
    Store,
    StoreAway,
    StudyRecord,
    open_store,
)
from trainers import notes_on_recipe
from trainers.data.held_out_test import lock_test_split

_LOG = logging.getLogger(__name__)


class Watcher(Interface):
    """Who wants to know how a run goes on."""

    def say(self, text: str) -> None:
        """A line for people."""

    def show(self, progress: Progress) -> None:
        """Called several times a second."""


def run_study(
    given: Config,
    *,
    resume: bool,
    watcher: Watcher,
    training: str = TRAINING,
    address: str | None = None,
    extra_request: ExtraTrialsRequest | None = None,
    exit_message: ExitMessage | None = None,
    own_process: bool = True,
) -> RunOutcome:
    """Run a study, or the rest of it.

    Args:
        given: the checked configuration.
        resume: go on with the study if it is there; start it if not.
        watcher: told how it goes.
        training: entry point "module:function" that makes a Training in the workers.
        address: of a Ray cluster; None starts a private local Ray.
        extra_request: work beside the planned trials.
        exit_message: said as soon as the run is asked to stop; what else it returns is not said.
        own_process: whether this process may be ended where the run is to hurry, or does not stop;
            else the work is cut short.

    Raises:
        InputError: before anything is written.
        StoreError: the store failed during the work.
        KeyboardInterrupt: a signal came when the work had not begun yet, or was done.
        CutShort: it was to hurry, or did not stop, in a process that is not its own.
    """
    prepared = prepare(given, resume=resume, say=watcher.say)
    config, found = prepared.config, prepared.found
    for remark in prepared.remarks:
        watcher.say(remark)
    for remark in prepared.description.remarks:
        watcher.say(f"Data: {remark}.")
    if found is not None:
        with open_store(config.store, create=False) as store:
            study_lookup.take_over(store, found, watcher.say)
            study_lookup.keep_budget(store, found, config)  # also where nothing is left to do
    images = prepared.description.validation_images
    if found is not None:
        done = outcome_without_work(config, found, extra_request)
        if done is not None:
            return replace(done, validation_images=images)
    warning = baseline_warning(config) if extra_request is None else None
    if warning is not None:
        watcher.say(warning)
    notes = (*_note_on_classes(prepared), *notes_on_recipe(prepared.description))
    for note in notes:
        watcher.say(f"note: {note}")
    latency = _prepared_latency(prepared, watcher)
    stop = StopRequest(config.time_limit)
    exit_message = exit_message or ExitMessage(watcher.say)
    with (
        stopping_on_signals(stop) as signals,
        RunEnd(stop, exit_message, None if own_process else signals.cut_short) as end,
        ExitStack() as stack,
    ):
        stack.enter_context(lock_test_split())

        def on_watch(watchdog: Watchdog) -> None:
            # Ray ends the process that waits for it in vain, without a word of how to go on.
            watchdog.tell(exit_message=exit_message.lines(killed()))
            end.watchdog = watchdog
            watcher.say("Starting Ray ..." if address is None else f"Connecting to {address} ...")

        cluster = stack.enter_context(connected_to_ray(address, on_watch))
        check_resources(config.resources, cluster.resources)
        folder = folder_in_use(config, found)
        make_checkpoints(folder)
        _tell_of_blind_nodes(folder.absolute(), cluster, watcher)
        store_retry = StoreRetry(config.store_patience, stop.requested, watcher.say)
        store = stack.enter_context(
            store_retry.until_back(lambda: opened_again(config.store, create=True))
        )
        work = _Work(
            store,
            prepared,
            cluster,
            stop,
            watcher,
            training,
            extra_request,
            exit_message,
            store_retry,
            latency,
        )
        try:
            outcome = work.carry_out(signals, end)
        except StoreAway:
            if stop.kind is None:
                raise
            outcome = stopped_before_it_began(config, stop)  # it was waited for until then
        finally:
            signals.end_work()
    outcome = _or_stopped(outcome, stop, exit_message)
    return replace(outcome, notes=notes, validation_images=images)


def _or_stopped(outcome: RunOutcome, stop: StopRequest, exit_message: ExitMessage) -> RunOutcome:
    """The outcome, with the exit code of what was said.

    A stop that came when nothing was left to do was not said, and changes nothing; only an
    interrupt is one whenever it comes.
    """
    is_done = outcome.exit_code == ExitCode.DONE
    if is_done and stop.kind == StopKind.INTERRUPT:
        raise KeyboardInterrupt(stop.reason)
    if exit_message.said and stop.kind is not None:
        reason = stop.reason if is_done else outcome.reason
        return replace(outcome, exit_code=stop.exit_code, reason=reason)
    return outcome


@dataclass(frozen=True, slots=True)
class _Work:
    """All that a run needs to work."""

    store: Store
    prepared: Prepared
    cluster: Cluster
    stop: StopRequest
    watcher: Watcher
    training: str
    extra_request: ExtraTrialsRequest | None
    exit_message: ExitMessage
    store_retry: StoreRetry
    latency: LatencyPlan | None = None

    def carry_out(self, signals: StopSignals, end: RunEnd) -> RunOutcome:
        """Begin a run of the study and work until it is done or asked to stop."""
        store, config = self.store, self.prepared.config
        signals.begin_work()
        once = self.store_retry.until_back
        study = once(lambda: _create_or_take_up(store, self.prepared, self.watcher, self.latency))
        extra_trials = once(lambda: self._extra_trials(study))
        run = once(lambda: begin_run(store, study, self.cluster, config.resources))
        make_checkpoints(folder_in_use(config, study))  # where later runs find it, from anywhere
        study_lookup.withdraw_if_second(store, study, run)
        end.end_run = partial(end_run, store, run)
        if self.cluster.watchdog is not None:
            named = {"store": config.store, "id": run.id}
            self.cluster.watchdog.tell(run=named, reason=killed())
        reason = self.stop.reason or "the driver failed"
        try:
            session = self._tune(study, run, extra_trials, end)
            self.stop.lift_time_limit()
            heard = self.stop.kind in ALWAYS_HEARD or not nothing_left(session)
            reason = (self.stop.reason if heard else "") or "the run ended"
            self._finish(study, run, session, reason)
        except Exception as error:
            reason = self.stop.reason or f"the driver failed: {first_line(error)}"
            raise
        finally:
            self.stop.lift_time_limit()
            end_run(store, run, reason)
        return self._outcome(study, session)

    def _extra_trials(self, study: StudyRecord) -> ExtraTrials:
        config = self.prepared.config
        settle(self.store, study, config, self.watcher.say)
        if self.extra_request is None:
            return NO_EXTRA_TRIALS
        task = task_of_study(self.store, study, config)
        found = self.extra_request(self.store, study, task)
        if found.retrains is not None and found.retrains != study.retrains:
            self.store.studies.set_retrains(study.id, found.retrains)
        return found

    def _finish(
        self, study: StudyRecord, run: RunRecord, session: StudySession, reason: str
    ) -> None:
        """Write down how the run ended; where the store stays away, the results are there still."""
        if session.journal.away:
            return

        def write() -> None:
            self.store.studies.set_exhausted(study.id, session.exhausted)
            self.store.runs.end(run.id, reason)

        try:
            self.store_retry.until_back(write)
        except StoreAway as error:
            _LOG.warning("the end of the run could not be written down: %s", error)

    def _outcome(self, study: StudyRecord, session: StudySession) -> RunOutcome:
        """How it ended, from the store; from memory where that stays away."""
        if session.journal.away:
            return outcome_from_memory(study, session, self.stop)
        try:
            progress, failure = self.store_retry.until_back(
                lambda: progress_and_failure(self.store, study)
            )
        except StoreAway as error:
            _LOG.warning("the end of the study could not be read: %s", error)
            progress, failure = session.progress(), None
        return outcome_from_store(
            study, session, self.stop, progress.with_plan_of(session.progress()), failure
        )

    def _tune(
        self, study: StudyRecord, run: RunRecord, extra_trials: ExtraTrials, end: RunEnd
    ) -> StudySession:
        """Work through the trials."""
        prepared, stop = self.prepared, self.stop
        config, inspected = prepared.config, prepared.description.inspected
        heartbeat = Heartbeat(
            heartbeat_of(self.store, stop), run.id, on_lost=lambda: _taken_over(stop)
        )
        with heartbeat, watching(self.cluster.servers, lambda why: _server_is_gone(stop, why)):
            begin = partial(
                begin_session,
                self.store,
                study,
                run,
                config,
                prepared.protocol,
                extra_trials,
                inspected=None if inspected is None else inspected.to_dict(),
                training=self.training,
                stop=stop,
                say=self.watcher.say,
                answered_since=heartbeat.answered_since,
                latency=self._confirmation(),
            )
            session = self.store_retry.until_back(begin)
            self._recorded()
            end.nothing_left = partial(nothing_left, session)
            try:
                tune_session(session, config, self.cluster, stop, self._show)
            finally:
                session.measure_no_more()
                close_journal(session.journal, stop)
                session.tracking.close()
            self._confirm_latencies(study, session)
        return session

    def _confirmation(self) -> LatencyConfirmation | None:
        config = self.prepared.config
        if self.latency is None:
            return None
        plugins = config.search_space.plugins
        return LatencyConfirmation(self.store, self.latency, config.study, plugins)

    def _confirm_latencies(self, study: StudyRecord, session: StudySession) -> None:
        """Measure what was trained, now that nothing trains; not where the run was stopped."""
        confirmation = self._confirmation()
        if confirmation is None or session.journal.away or self.stop.kind is not None:
            return
        rows = best(self.store, study=study.name, where="state = complete", top=None)
        trained = networks(self.store, study.name, [row.architecture_id for row in rows])
        confirmation.at_the_end(trained, self.stop.requested, self.watcher.say)

    def _recorded(self) -> None:
        """From now on the store has what was asked for, and other words say how to go on."""
        self.exit_message.recorded = True
        if self.cluster.watchdog is not None:
            self.cluster.watchdog.tell(exit_message=self.exit_message.lines(killed()))

    def _show(self, progress: Progress) -> None:
        if self.stop.kind is None:  # after that the last words stand
            self.watcher.show(progress)


def _tell_of_blind_nodes(checkpoints: Path, cluster: Cluster, watcher: Watcher) -> None:
    blind = [] if cluster.local else nodes_that_do_not_see(checkpoints)
    if blind:
        watcher.say(warning_of(checkpoints, blind))


def _taken_over(stop: StopRequest) -> None:
    stop.request(StopKind.LOST, "another process has taken the study over")


_WITHOUT_SERVERS = 5.0
"""Seconds within which Ray returns when its servers are gone, if it ever does."""


def _server_is_gone(stop: StopRequest, reason: str) -> None:
    if not stop.request(StopKind.LOST, reason, _WITHOUT_SERVERS):
        stop.hurried = True  # what asked for the stop has ended the servers too


def _note_on_classes(prepared: Prepared) -> Sequence[str]:
    """What becomes of the classifier of a study that is finetuned."""
    config = prepared.config
    name = config.finetune_from
    source = None if name is None else study_lookup.find_study(config.store, name)
    if source is None:
        return ()
    note = note_on_classes(source, prepared.description.class_names)
    return () if note is None else (note,)


def _prepared_latency(prepared: Prepared, watcher: Watcher) -> LatencyPlan | None:
    """What is measured before Ray starts, while nothing else runs."""
    config = prepared.config
    if config.latency is None:
        return None
    with open_store(config.store, create=True) as store:
        return prepare_latency(store, config, prepared.found, watcher.say)


def _create_or_take_up(
    store: Store, prepared: Prepared, watcher: Watcher, latency: LatencyPlan | None
) -> StudyRecord:
    config = prepared.config
    if prepared.found is None:
        create = partial(
            create_study, store, config, prepared.protocol, prepared.description.told(), latency
        )
        return study_lookup.create_first(store, config.study, create)
    study = store.studies.get(prepared.found.name)
    study_lookup.take_over(store, study, watcher.say)
    if config.trials > study.planned_trials:
        store.studies.set_planned_trials(study.id, config.trials)
    if prepared.protocol.hash != study.protocol_hash:
        store.studies.set_protocol(study.id, prepared.protocol.to_dict(), prepared.protocol.hash)
        watcher.say(
            "The images have changed before anything was trained on them: taken as they are."
        )
    return store.studies.get(study.name)
