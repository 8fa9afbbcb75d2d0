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
from tests.search.without_ray import STORE, Player, all_fail, player, playing, trials_of

__all__ = ["player", "playing"]


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


AWAY = StoreAway("the store does not answer")
REFUSES = InputError.of("store", "does not answer or refuses")
IMPATIENT = ["--set", "store_patience=0.2"]
FOR_EVER = 10_000


@pytest.fixture
def is_away(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Away]:
    """Makes a call of the store fail so many times."""

    def away(owner: Any, method: str, times: int = 2) -> Away:
        error = REFUSES if method == "open_store" else AWAY
        made = Away(times, getattr(owner, method), error)
        monkeypatch.setattr(owner, method, made)
        return made

    return away


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Runs, "begin"),
        (Studies, "set_checkpoints"),
        (Studies, "history"),
        (Studies, "set_exhausted"),
        (Studies, "summary"),
        (store_retry_module, "open_store"),  # when Ray has started
    ],
)
def test_a_store_that_is_away_at_the_edges_of_a_run_is_waited_for(
    owner: Any,
    method: str,
    is_away: Callable[..., Away],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = is_away(owner, method)
    assert run_program(["run", "a.yaml", *STORE]) == 0
    assert not away.times
    assert "4 of 4 trials done (4 complete)" in capsys.readouterr().out
    with open_store("a.db", create=False) as store:
        (run,) = store.runs.of_study(store.studies.get("tiny").id)
    assert run.end_reason == "the run ended"
    assert len(trials_of("tiny")) == 4


@pytest.mark.parametrize(
    ("owner", "method", "stopped"),
    [
        (store_retry_module, "open_store", "store: does not answer or refuses. To go on: "),
        (Studies, "set_exhausted", None),
        (Studies, "summary", None),
    ],
)
def test_a_store_that_stays_away_is_told_and_makes_no_run_fail_that_is_done(
    owner: Any,
    method: str,
    stopped: str | None,
    is_away: Callable[..., Away],
    playing: Player,
    capsys: pytest.CaptureFixture[str],
) -> None:
    is_away(owner, method, FOR_EVER)
    assert run_program(["run", "a.yaml", *STORE, *IMPATIENT]) == (0 if stopped is None else 1)
    said = capsys.readouterr().err
    if stopped is None:
        assert "Stopped" not in said
        assert {str(trial.state) for trial in trials_of("tiny")} == {"complete"}
    else:
        assert said.splitlines()[-1].startswith(f"Stopped: {stopped}")


def test_what_was_taken_up_before_the_store_went_away_is_gone_on_with(
    is_away: Callable[..., Away], playing: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program(["run", "a.yaml", *STORE]) == 1
    away = is_away(Trials, "claim")
    assert run_program(["continue", "tiny", "--failed", *STORE]) == 0
    assert not away.times
    assert {str(trial.state) for trial in trials_of("tiny")} == {"complete"}


def test_a_signal_while_the_store_is_waited_for_is_an_interrupt(
    playing: Player, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AWAY

    monkeypatch.setattr(Runs, "begin", interrupted)
    assert run_program(["run", "a.yaml", *STORE]) == 130
    assert capsys.readouterr().err.count("Stopped: interrupted by SIGTERM. To go on: ") == 1
