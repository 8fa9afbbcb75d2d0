"""The table of all trials holds what the records say, of every state, and comes back from files."""

import errno
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from search.cli.program import run_program
from search.query import TABLE_COLUMNS, TABLE_FORMATS, trial_summaries, trial_table
from search.query.trial_summaries import Order
from search.store import Store, TrialState, open_store
from tests.support.samples import add_study, add_trial, begin_run, complete_trial, epoch


def fill(store: Store) -> None:
    for name, protocol in (("a", "1f" * 8), ('b, "c"; d', "2e" * 8)):
        study = add_study(store, name, protocol_hash=protocol)
        run = begin_run(store, study.id)
        for number in range(4):
            complete_trial(store, study.id, run.id, number, None if number == 2 else number / 8)
        complete_trial(store, study.id, run.id, 1, 0.3, repeat=1)
        pruned = add_trial(store, study.id, run.id, 7)
        store.trials.start(pruned.id, run.id)
        store.epochs.record(pruned.id, epoch(1, 0.25))
        store.trials.finish(pruned.id, "pruned", "rung 1")
        failed = add_trial(store, study.id, run.id, 8)
        store.trials.start(failed.id, run.id)
        store.trials.finish(failed.id, "failed", 'says "no", and\nbreaks off')
        dead = begin_run(store, study.id, start_ticks=1)
        add_trial(store, study.id, dead.id, 9)


def test_every_trial_is_a_row_as_the_records_have_it(store: Store) -> None:
    fill(store)
    table = trial_table(store)
    assert tuple(table.columns) == TABLE_COLUMNS
    summaries = {row.id: row for row in trial_summaries(store)}
    assert set(table["trial_id"]) == set(summaries)
    for row in table.to_dict("records"):
        summary, record = summaries[row["trial_id"]], store.trials.get(row["trial_id"])
        study = store.studies.get(row["study"])
        assert row["protocol"] == study.protocol_hash
        assert (row["study"], row["trial"]) == (summary.study, summary.number)
        assert (row["state"], row["operators"]) == (summary.state, summary.operators)
        assert row["seed_initialisation"] == record.seeds["initialisation"]
        assert row["seed_data_order"] == record.seeds["data_order"]
        assert (row["repeat"], row["attempts"]) == (record.repeat, record.attempts)
        for name in ("accuracy", "last_accuracy", "reason"):
            value = getattr(summary, name)
            assert pd.isna(row[name]) if value is None else row[name] == value
        assert (row["epochs"], row["params"], row["macs"]) == (
            summary.epochs_done,
            summary.params,
            summary.macs,
        )
    assert list(table["study"].drop_duplicates()) == ["a", 'b, "c"; d']
    assert "preempted" in set(table["state"])  # what a dead driver left, as readers see it
    ended = table["ended"].dropna()
    assert all(datetime(2026, 1, 1, tzinfo=UTC) < moment for moment in ended)


def test_a_filter_and_the_networks(store: Store) -> None:
    fill(store)
    few = trial_table(store, study="a", where="state = complete", networks=True)
    assert len(few) == 5
    assert list(few.columns) == [*TABLE_COLUMNS, "architecture"]
    for row in few.to_dict("records"):
        record = store.architectures.get(row["architecture_id"])
        assert json.loads(row["architecture"]) == json.loads(record.json)
    nothing = trial_table(store, where="params < 1")
    assert (len(nothing), list(nothing.columns)) == (0, list(TABLE_COLUMNS))


@pytest.mark.parametrize("suffix", TABLE_FORMATS)
def test_files_hold_the_table(store: Store, suffix: str) -> None:
    fill(store)
    table = trial_table(store, networks=True)
    content = io.BytesIO(TABLE_FORMATS[suffix](table))
    again = pd.read_csv(content) if suffix == ".csv" else pd.read_parquet(content)
    assert list(again.columns) == list(table.columns)
    assert len(again) == len(table)
    for name in ("study", "trial", "architecture_id", "reason", "params", "architecture"):
        assert list(again[name].fillna("")) == list(table[name].fillna(""))
    assert list(again["accuracy"].fillna(-1)) == list(table["accuracy"].fillna(-1))


def test_an_empty_table_is_written_too(store: Store) -> None:
    table = trial_table(store)
    assert pd.read_csv(io.BytesIO(TABLE_FORMATS[".csv"](table))).empty
    assert pd.read_parquet(io.BytesIO(TABLE_FORMATS[".parquet"](table))).empty


def test_dump_writes_the_file_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "store.db"
    with open_store(str(place), create=True) as store:
        fill(store)
    file = tmp_path / "trials.csv"
    given = ["dump", str(file), "--store", str(place)]
    assert run_program(given) == 0
    assert "trials.csv: 16 trials" in capsys.readouterr().err
    assert len(pd.read_csv(file)) == 16
    assert run_program([*given, "--study", "a", "--where", "state = pruned", "--networks"]) == 0
    (row,) = pd.read_csv(file).to_dict("records")  # the earlier file gave way
    assert (row["study"], row["state"], row["reason"]) == ("a", "pruned", "rung 1")
    assert json.loads(row["architecture"])["stages"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["store.db", "trials.csv"]


def test_a_disk_that_is_full_leaves_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, file = tmp_path / "store.db", tmp_path / "trials.csv"
    with open_store(str(place), create=True) as store:
        fill(store)
    file.write_text("as it was")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as opened:
            opened.write(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert run_program(["dump", str(file), "--store", str(place)]) == 2
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    assert file.read_text() == "as it was"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["store.db", "trials.csv"]


def test_seeds_stay_whole_numbers_beside_a_trial_without(store: Store) -> None:
    fill(store)
    study = store.studies.get("a")
    add_trial(store, study.id, begin_run(store, study.id).id, 12, seeds={})
    table = trial_table(store, study="a")
    assert table["seed_initialisation"].isna().sum() == 1
    assert ",7.0," not in TABLE_FORMATS[".csv"](table).decode()
    assert str(table["seed_data_order"].dtype) == "Int64"


@pytest.mark.parametrize(
    ("file", "more", "message"),
    [
        ("trials.xlsx", [], ".csv, .parquet"),
        ("no/such/folder/trials.csv", [], "there is no folder"),
        ("trials.csv", ["--study", "aa"], "did you mean 'a'"),
        ("trials.csv", ["--where", "params <"], "expected a number"),
    ],
)
def test_what_cannot_be_dumped_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    more: list[str],
    message: str,
) -> None:
    place = tmp_path / "store.db"
    with open_store(str(place), create=True) as store:
        fill(store)
    assert run_program(["dump", str(tmp_path / file), "--store", str(place), *more]) == 2
    assert message in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]


def test_summaries_have_their_order_whichever_states_are_asked_for(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    accuracies = (0.3, 0.5, None, 0.5)
    done = [complete_trial(store, study.id, run.id, n, each) for n, each in enumerate(accuracies)]
    pruned = add_trial(store, study.id, run.id, 4)
    store.trials.start(pruned.id, run.id)
    store.epochs.record(pruned.id, epoch(1, 0.9))
    store.trials.finish(pruned.id, "pruned", "rung")
    waiting = add_trial(store, study.id, run.id, 5)
    a, b, c, d = (trial.id for trial in done)

    def ids(order: Order, *states: TrialState, limit: int | None = None) -> list[int]:
        found = trial_summaries(store, order=order, states=states or None, limit=limit)
        return [each.id for each in found]

    complete, stopped = TrialState.COMPLETE, TrialState.PRUNED
    assert ids("best", complete) == [b, d, a, c]
    assert ids("best", stopped, complete) == [b, d, a, c, pruned.id]
    assert ids("best") == [b, d, a, c, pruned.id, waiting.id]
    assert ids("newest", complete) == [d, c, b, a]
    assert ids("newest", limit=2) == [waiting.id, pruned.id]
    assert ids("ended", complete) == [d, c, b, a]
    assert ids("ended", limit=1) == [pruned.id]
    assert ids("ended")[-1] == waiting.id
    with pytest.raises(ValueError, match="'lost' is not a valid TrialState"):
        trial_summaries(store, states=["lost"])  # type: ignore[list-item]
