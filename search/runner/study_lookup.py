"""Finds the study in the store before anything is written or started."""

import time
from collections.abc import Callable, Sequence

from search.config import Config, merged_for_resume
from search.query import architecture_texts
from search.store import (
    NoStore,
    RunRecord,
    Store,
    StudyRecord,
    stalled_heartbeats,
)
from search.store.open import open_to_look_up
from search.store.url import display, parse_url
from space import Architecture, CustomMixer
from space.errors import InputError, Problem, refuse
from space.surface import surface
from trainers import Protocol
from trainers.legacy_defaults import with_legacy_defaults

_PAUSE = 0.05
"""Seconds between two looks for the run of another driver."""


def find_study(url: str, name: str) -> StudyRecord | None:
    """The study of that name, None where there is none or not even a store.

    Raises:
        InputError: the store cannot be used.
    """
    try:
        with open_to_look_up(url) as store:
            return store.studies.get(name) if store.studies.exists(name) else None
    except NoStore:
        return None


def resolve(given: Config, found: StudyRecord | None, *, resume: bool) -> tuple[Config, list[str]]:
    """The configuration to run with, and remarks on what of the given one is ignored.

    Raises:
        InputError: the study is there and was not asked to be resumed, or it was made with
            another space, other data or another protocol.
    """
    if found is None:
        return given, []
    if not resume:
        raise InputError.of(
            "study",
            f"{given.study!r} is already in the store; go on with it by "
            f"{surface().given('resume', True)}, or begin another by "
            f"{surface().given('study', 'NAME')}",
        )
    return merged_for_resume(found.config, given)


def check_same_data(url: str, found: StudyRecord | None, protocol: Protocol) -> None:
    """Refuse to resume on other images than those that the study was trained on.

    As long as it was trained on none, a broken file may have been mended, or taken away.

    Raises:
        InputError: the content or the split of the data differ.
    """
    if found is None or found.protocol_hash == protocol.hash:
        return
    with open_to_look_up(url) as store:
        if not store.studies.was_trained(found.id):
            return
    now, then = protocol.to_dict(), with_legacy_defaults(found.protocol)
    changed = [name for name in now if now[name] != then.get(name)]
    raise InputError.of(
        "data",
        "these are not the images that the study began with "
        f"({', '.join(changed) or 'protocol'} differ); "
        f"give back the same data, or begin another study by {surface().given('study', 'NAME')}",
    )


def check_same_mixers(url: str, found: StudyRecord | None) -> None:
    """Refuse to go on with networks whose custom mixers are registered by other versions now.

    Raises:
        InputError: where="space.plugins", naming the mixer and both versions.
    """
    if found is None:
        return
    with open_to_look_up(url) as store:
        texts = architecture_texts(store, found.name).values()
    for text in (text for text in texts if '"custom"' in text):
        for mixer in Architecture.from_json(text).mixers():
            try:
                _ = mixer.definition if isinstance(mixer, CustomMixer) else None
            except InputError as error:
                said = "; ".join(problem.message for problem in error.problems)
                name = surface().given("study", "NAME")
                raise InputError.of(
                    "space.plugins",
                    f"the study has networks of another mixer: {said}. Bring that version back, or "
                    f"begin another study by {name}",
                ) from None


def check_warm_start(url: str, names: Sequence[str]) -> None:
    """Refuse to learn from studies that the store does not have.

    Raises:
        InputError: naming each of them.
    """
    problems: list[Problem] = []
    for name in names:
        try:
            with open_to_look_up(url) as store:
                store.studies.get(name)  # says which names come near
        except NoStore:
            message = f"{name!r} does not exist; {display(parse_url(url))} has no study yet"
            problems.append(Problem("warm_start", message))
        except InputError as error:
            problems += [Problem("warm_start", problem.message) for problem in error.problems]
    refuse(problems)


def take_over(store: Store, study: StudyRecord, say: Callable[[str], None]) -> None:
    """End the study's runs whose process is gone; refuse where a live process works on it.

    Where a process cannot be seen from here this watches its heartbeat, for a minute at most.

    Args:
        store: of the study.
        study: to go on with.
        say: told what there is to wait for.

    Raises:
        InputError: naming the process that works on it.
    """
    store.runs.end_stale(study.id, stalled=stalled_heartbeats(store, study.id, say=say))
    open_runs = [run for run in store.runs.of_study(study.id) if run.ended is None]
    if open_runs:
        raise _taken(study, max(open_runs, key=lambda run: run.heartbeat))


def keep_budget(store: Store, study: StudyRecord, config: Config) -> None:
    """A budget that was changed is the study's from then on, as a raised number of trials is."""
    budget = config.to_stored()["budget"]
    if budget != study.config.get("budget"):
        store.studies.set_budget(study.id, budget)


def create_first(
    store: Store, name: str, create: Callable[[], StudyRecord], patience: float = 30.0
) -> StudyRecord:
    """Create a study; of two drivers that create it at the same moment, the later gives way.

    Args:
        store: of the study.
        name: its name.
        create: makes the study.
        patience: for how many seconds to wait until the first driver has said who it is.

    Raises:
        InputError: naming the other process, or what else `create` found.
    """
    try:
        return create()
    except InputError:
        if not store.studies.exists(name):
            raise
        study, end = store.studies.get(name), time.monotonic() + patience
        while not (runs := store.runs.of_study(study.id)) and time.monotonic() < end:
            time.sleep(_PAUSE)
        if not runs or runs[-1].ended is not None:
            raise
        raise _taken(study, runs[-1]) from None


def withdraw_if_second(store: Store, study: StudyRecord, mine: RunRecord) -> None:
    """Of two drivers that began at the same moment, the later one gives way.

    Raises:
        InputError: naming the other process.
    """
    for run in store.runs.of_study(study.id):
        if run.ended is None and run.id < mine.id:
            store.runs.end(mine.id, "another driver was first")
            raise _taken(study, run)


def _taken(study: StudyRecord, run: RunRecord) -> InputError:
    return InputError.of(
        "study",
        f"process {run.pid} on {run.host} is working on {study.name!r} since "
        f"{run.started:%Y-%m-%d %H:%M} UTC; wait for it, or stop it by Ctrl-C there",
    )
