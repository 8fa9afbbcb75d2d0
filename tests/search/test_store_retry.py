"""A store that is away at the edges of a run: waited for, and never what decides the exit code."""

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from search.cli.program import run_program
from search.driver import store_retry as store_retry_module
from search.driver.store_retry import StoreRetry
from search.runner import run as run_module
from search.store import StoreAway, open_store
from search.store.database import StorePart
from search.store.runs import Runs
from search.store.studies import Studies
from search.store.trials import Trials
from space.errors import InputError
from tests.search.test_going_on import STORE, Player, all_fail, playing, trials_of

__all__ = ["playing"]


class Away:
    """A call that the store does not answer so many times.

    Args:
        times: how often. real: what it does after that. error: what it raises before.
    """

    def __init__(self, times: int, real: Callable[..., Any], error: Exception) -> None:
        self.times, self.real, self.error = times, real, error

    def __call__(self, *args: Any, **options: Any) -> Any:
        if self.times:
            self.times -= 1
            raise self.error
        return self.real(*args, **options)

    def __get__(self, store: StorePart, owner: type[StorePart]) -> Callable[..., Any]:
        return lambda *args, **options: self(store, *args, **options)


def test_a_call_is_made_again_until_the_store_is_back() -> None:
    said: list[str] = []
    store_retry = StoreRetry(60, lambda: False, said.append)
    assert store_retry.until_back(Away(3, lambda: 7, StoreAway("gone"))) == 7
    assert said == ["Waiting 1 min at most: gone"]


def test_patience_is_not_endless_and_ends_at_once_when_a_stop_is_asked_for() -> None:
    for store_retry in (
        StoreRetry(0.2, lambda: False, lambda line: None),
        StoreRetry(3600, lambda: True, lambda line: None),
    ):
        call = Away(1_000_000, lambda: 7, StoreAway("gone"))
        for _ in range(2):  # what comes after it waits for nothing more
            with pytest.raises(StoreAway, match="gone"):
                store_retry.until_back(call)
    assert call.times > 999_900


@pytest.mark.parametrize(
    ("part", "method"),
    [
        (Runs, "begin"),
        (Studies, "set_checkpoints"),
        (Studies, "history"),
        (Studies, "set_exhausted"),
        (Studies, "summary"),
    ],
)
def test_a_store_that_is_away_at_the_edges_of_a_run_is_waited_for(
    part: type[StorePart],
    method: str,
    playing: Player,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = Away(2, getattr(part, method), StoreAway("the store does not answer"))
    monkeypatch.setattr(part, method, away)
    assert run_program(["run", "a.yaml", *STORE]) == 0
    assert not away.times
    assert "4 of 4 trials done (4 complete)" in capsys.readouterr().out
    with open_store("a.db", create=False) as store:
        (run,) = store.runs.of_study(store.studies.get("tiny").id)
    assert run.end_reason == "the run ended"
    assert len(trials_of("tiny")) == 4


def test_a_store_that_cannot_be_opened_after_rays_start_is_waited_for(
    playing: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = InputError.of("store", "does not answer or refuses")
    away = Away(2, open_store, refuses)
    monkeypatch.setattr(store_retry_module, "open_store", away)
    assert run_program(["run", "a.yaml", *STORE]) == 0
    assert not away.times


def test_a_store_that_stays_away_then_is_told_with_how_to_go_on(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refuses = InputError.of("store", "does not answer or refuses")
    monkeypatch.setattr(store_retry_module, "open_store", Away(10_000, open_store, refuses))
    assert run_program(["run", "a.yaml", *STORE, "--set", "store_patience=0.2"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Stopped: store: does not answer or refuses. To go on: ")


@pytest.mark.parametrize("method", ["set_exhausted", "summary"])
def test_a_store_that_stays_away_in_the_end_does_not_make_a_done_run_fail(
    method: str,
    playing: Player,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = Away(10_000, getattr(Studies, method), StoreAway("the store does not answer"))
    monkeypatch.setattr(Studies, method, away)
    assert run_program(["run", "a.yaml", *STORE, "--set", "store_patience=0.2"]) == 0
    assert "Stopped" not in capsys.readouterr().err
    assert {str(trial.state) for trial in trials_of("tiny")} == {"complete"}


def test_what_was_taken_up_before_the_store_went_away_is_gone_on_with(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program(["run", "a.yaml", *STORE]) == 1
    away = Away(2, Trials.claim, StoreAway("the store does not answer"))
    monkeypatch.setattr(Trials, "claim", away)
    assert run_program(["continue", "tiny", "--failed", *STORE]) == 0
    assert {str(trial.state) for trial in trials_of("tiny")} == {"complete"}


def test_a_signal_while_the_store_is_waited_for_is_an_interrupt(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise StoreAway("the store does not answer")

    monkeypatch.setattr(Runs, "begin", interrupted)
    assert run_program(["run", "a.yaml", *STORE]) == 130
    assert capsys.readouterr().err.count("Stopped: interrupted by SIGTERM. To go on: ") == 1
