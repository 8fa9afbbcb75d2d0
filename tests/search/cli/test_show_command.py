"""`show` and `studies`: one architecture, and what a store holds."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from search.store import EpochRecord, open_store
from search.store.models import MetricRow
from search.store.statements import upsert
from tests.search.cli.program import run
from tests.search.test_session import begin, config, run_all


def test_show(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    code, out, err = run(capsys, "show", row["architecture_id"][:10], "--store", store)
    assert (code, err) == (0, "")
    assert f"{row['params']:,} params" in out
    assert "Learning curve" in out
    assert "Trial" in out
    assert "Seeds: initialisation" in out
    plain = json.loads(run(capsys, "show", row["architecture_id"], "--store", store, "--json")[1])
    assert plain["params"] == row["params"]
    assert [e["epoch"] for e in plain["trials"][0]["epochs"]] == [1, 2]
    assert plain["against_random_search"] == {"tiny": None}


def test_best_and_show_say_what_a_training_took(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    names = ("images_per_second", "peak_memory_bytes", "skipped_steps", "fused_mixers")
    assert [row[name] for name in names] == [100.0, None, None, None]
    with open_store(store, create=False) as opened:
        curve = opened.epochs.of_trial(row["trial_id"])
        for epoch, peak, skipped in zip(curve, (3 << 20, 2 << 20), (1, 2), strict=True):
            new: dict[str, Any] = {"images_per_second": 1e3 * epoch.epoch}
            new |= {"peak_memory_bytes": peak, "skipped_steps": skipped, "fused_mixers": skipped}
            opened.write(_writes(row["trial_id"], replace(epoch, **new)))
    again = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    assert [again[name] for name in names] == [1500.0, 3 << 20, 3, 2]
    code, out, _ = run(capsys, "show", row["architecture_id"], "--store", store)
    said = (
        "1,500 training images a second; at most 3 MiB of memory; 3 steps skipped as not finite; "
        "2 token mixers by fused kernels"
    )
    assert (code, " ".join(out.split()).count(f"Measured where it was trained: {said}")) == (0, 1)
    plain = json.loads(run(capsys, "show", row["architecture_id"], "--store", store, "--json")[1])
    (trial,) = plain["trials"]
    assert [trial[name] for name in names] == [1500.0, 3 << 20, 3, 2]
    assert [epoch["skipped_steps"] for epoch in trial["epochs"]] == [1, 2]


def _writes(trial_id: int, epoch: EpochRecord) -> Callable[[Session], object]:
    """Past the store's own way, which leaves ended trials alone."""
    return lambda db: upsert(db, MetricRow, {"trial_id": trial_id, **asdict(epoch)})


def test_show_of_an_unknown_id(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "zebra", "--store", store)
    assert (code, out) == (2, "")
    assert err.startswith("error: architecture: 'zebra'")


def test_show_names_the_source_of_a_reused_result(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(store, create=False) as opened:
        second = begin(opened, config(tmp_path, initial=["named"], study="second"))
        run_all(second)
        trial = opened.trials.of_study(second.record.id)[0]
    assert trial.source_trial_id is not None
    out = " ".join(run(capsys, "show", trial.architecture_id, "--store", store)[1].split())
    said = "taken over from trial 0 of study tiny, same protocol"
    assert out.count(f"History: epochs, and their time of training, {said}") == 1
    plain = json.loads(run(capsys, "show", trial.architecture_id, "--store", store, "--json")[1])
    sources = {each["study"]: each["source_study"] for each in plain["trials"]}
    assert sources == {"tiny": None, "second": "tiny"}


def test_studies(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "studies", "--store", store)
    assert (code, err) == (0, "")
    assert "tiny" in out
    assert "complete" in out
    assert "5/5" in out
    (study,) = json.loads(run(capsys, "studies", "--store", store, "--json")[1])
    assert study["counts"]["complete"] == 5
