"""The networks of a transfer, with their weights: of a store, or of exported folders."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from search.handover.candidate import find_candidate
from search.handover.hand_over import preprocessing_of
from search.handover.transfer_request import Wanted
from search.query import best, trained_results
from search.runner.preflight import Problems
from search.store import Store
from search.store.open import open_to_look_up
from space import Architecture
from space.custom.plugins import load_known_plugins
from space.errors import InputError
from space.input.paths import is_folder
from space.surface import surface

if TYPE_CHECKING:
    from trainers.transfer.source import BackboneSource


def sources_of(store: str, wanted: Wanted) -> list["BackboneSource"]:
    """Of everything that is named, with its weights; the retrained one before that of a search.

    Raises:
        InputError: with everything that is not there, and every file that is damaged.
    """
    from trainers.transfer.source import BackboneSource

    _refuse_unclear(wanted)
    problems = Problems()
    exported = [subject for subject in wanted.subjects if _is_export(subject)]
    made = [problems.attempt(partial(BackboneSource.from_export, Path(each))) for each in exported]
    ids = [subject for subject in wanted.subjects if subject not in exported]
    if ids or wanted.top:
        made += _of_store(store, wanted, ids, problems)
    problems.refuse()
    found = [source for source in made if source is not None]
    if wanted.from_scratch:
        return [BackboneSource.random(source.architecture) for source in found]
    return found


def _refuse_unclear(wanted: Wanted) -> None:
    given = surface().given
    if bool(wanted.subjects) == (wanted.top is not None):
        message = f"name architectures or exported folders, or {given('top', 'N')}, one of the two"
        raise InputError.of("architectures", message)
    if wanted.top is not None and wanted.study is None:
        message = f"{given('top', wanted.top)} needs {given('study', 'NAME')}"
        raise InputError.of(surface().field("top"), message)


def _is_export(subject: str) -> bool:
    """Whether a folder is named; an id is a few hexadecimal digits, and no path."""
    path = Path(os.path.expanduser(subject))  # noqa: PTH111 - as paths are read everywhere
    return is_folder(path) or len(path.parts) > 1


def _of_store(
    store: str, wanted: Wanted, ids: Sequence[str], problems: Problems
) -> list["BackboneSource | None"]:
    with open_to_look_up(store) as opened:
        if wanted.top is not None:
            rows = problems.attempt(partial(best, opened, study=wanted.study, top=wanted.top)) or []
            ids = [row.architecture_id for row in rows if row.is_complete]
            if rows and not ids:
                problems.attempt(partial(_refuse_incomplete, wanted.study))
        return [problems.attempt(partial(_trained, opened, store, wanted, each)) for each in ids]


def _refuse_incomplete(study: str | None) -> None:
    raise InputError.of("study", f"{study!r} has no complete trial")


def _trained(opened: Store, url: str, wanted: Wanted, id_: str) -> "BackboneSource":
    """A training of the store, with its weights."""
    from trainers.transfer.source import BackboneSource

    if wanted.from_scratch:
        return BackboneSource.random(_architecture(opened, id_))
    study = wanted.study
    if wanted.top is not None and any(each.retrained for each in trained_results(opened, id_)):
        study = None  # that of --top is a search, whose best was retrained in another
    found = find_candidate(opened, url, id_, study, None)
    network = _architecture(opened, found.trial.architecture_id)
    how = preprocessing_of(found, network)
    expected = {
        "architecture": network.id,
        "protocol": found.study.protocol_hash,
        "epoch": found.trial.epochs_done,
    }
    origin = f"{network.id} of trial {found.trial.number} in {found.study.name}"
    return BackboneSource.from_checkpoint(
        network, found.weights, expected, (how.mean, how.std), origin
    )


def _architecture(opened: Store, id_: str) -> Architecture:
    """An architecture of the store, its custom mixers registered."""
    row = opened.architectures.get(id_)
    for trial in opened.trials.of_architecture(row.id)[:1]:
        load_known_plugins(opened.studies.by_id(trial.study_id).space)
    return Architecture.from_json(row.json)
