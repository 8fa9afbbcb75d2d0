"""The program that ends the run of a driver that is gone."""

import io
import json
import sys
from pathlib import Path

import pytest

from search.store import Store, TrialState, open_store
from search.store.end_run import main
from tests.support.samples import add_study, add_trial, begin_run


def told(store: str, id_: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> int:
    words = json.dumps({"store": store, "id": id_, "reason": reason})
    monkeypatch.setattr(sys, "stdin", io.StringIO(words))
    return main()


def test_it_ends_the_run_and_its_trials_for_the_reason(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = add_study(store)
    gone, other = begin_run(store, study.id), begin_run(store, study.id)
    for number, run in enumerate((gone, other)):
        store.trials.start(add_trial(store, study.id, run.id, number).id, run.id)
    assert told(store_url, gone.id, "the driver was killed", monkeypatch) == 0
    one, two = store.runs.of_study(study.id)
    assert (one.ended is not None, one.end_reason) == (True, "the driver was killed")
    assert (two.ended, two.end_reason) == (None, None)
    assert [(t.state, t.reason) for t in store.trials.of_study(study.id)] == [
        (TrialState.PREEMPTED, "the driver was killed"),
        (TrialState.RUNNING, None),
    ]
    assert told(store_url, 99, "no such run", monkeypatch) == 0
    assert len(store.runs.of_study(study.id)) == 2


def test_where_the_store_is_gone_or_cannot_be_written_it_says_so_by_its_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.db"
    assert told(str(missing), 1, "killed", monkeypatch) == 1
    assert not missing.exists()
    file = tmp_path / "store.db"
    with open_store(str(file), create=True) as store:
        study = add_study(store)
        run = begin_run(store, study.id)
    with monkeypatch.context() as patch:
        # It is opened to be read alone then, and the write fails.
        patch.setattr("search.store.open.may_write", lambda _: False)
        patch.setattr("search.store.sqlite_file.may_write", lambda _: False)
        assert told(str(file), run.id, "killed", patch) == 1
    with open_store(str(file), create=False) as store:
        assert store.runs.of_study(study.id)[0].ended is None
