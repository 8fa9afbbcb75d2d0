import logging
import threading
import time

import pytest

from search.store import Heartbeat, Store, StoreError
from tests.support.samples import add_study, begin_run


class Flaky:
    """A store whose answers are given, the last one for ever."""

    def __init__(self, *answers: bool | StoreError) -> None:
        self.answers = list(answers)
        self.beats = 0
        self.done = threading.Event()

    def heartbeat(self, run_id: int) -> bool:
        self.beats += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if len(self.answers) == 1 and self.beats > 3:
            self.done.set()
        if isinstance(answer, StoreError):
            raise answer
        return answer


def test_it_survives_database_errors(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky(True, StoreError("gone"), StoreError("gone"), True)
    with caplog.at_level(logging.WARNING), Heartbeat(store.heartbeat, 1, interval=0.001):
        assert store.done.wait(10)
    texts = [record.getMessage() for record in caplog.records]
    assert len([text for text in texts if "gone" in text]) == 1
    assert any("answers again" in text for text in texts)


def test_it_says_when_the_run_was_ended() -> None:
    lost = threading.Event()
    with Heartbeat(Flaky(False).heartbeat, 1, interval=0.001, on_lost=lost.set):
        assert lost.wait(10)


def test_it_moves_the_heartbeat(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    with Heartbeat(store.runs.heartbeat, run.id, interval=0.01):
        for _ in range(1000):
            (now,) = store.runs.of_study(study.id)
            if now.heartbeat > run.heartbeat:
                break
    assert now.heartbeat > run.heartbeat


def test_an_end_that_nobody_asked_about_is_said_and_stops_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Flaky(True, True, False)
    with caplog.at_level(logging.WARNING), Heartbeat(store.heartbeat, 7, interval=0.001) as heart:
        heart._thread.join(10)
        assert not heart._thread.is_alive()
    assert [record.getMessage() for record in caplog.records] == [
        "run 7 was ended by another process"
    ]
    assert store.beats == 3


def test_what_it_says_of_a_store_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    store = Flaky(StoreError("gone"), StoreError("gone"), True, StoreError("again"), True)
    heart = Heartbeat(store.heartbeat, 7)
    with caplog.at_level(logging.WARNING):
        assert [heart._beat_once() for _ in range(6)] == [True] * 6
    assert [record.getMessage() for record in caplog.records] == [
        "heartbeat of run 7: gone; trying on",
        "heartbeat of run 7: the store answers again",
        "heartbeat of run 7: again; trying on",
        "heartbeat of run 7: the store answers again",
    ]


def test_it_knows_since_when_the_store_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    heart = Heartbeat(Flaky(True, StoreError("gone"), False).heartbeat, 1)
    now = iter((5.0, 7.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    assert not heart.answered_since(float("-inf"))
    assert heart._beat_once()
    assert [heart.answered_since(moment) for moment in (4.9, 5.0, 5.1)] == [True, False, False]
    assert heart._beat_once()  # it did not answer
    assert not heart.answered_since(5.0)
    assert not heart._beat_once()
    assert heart.answered_since(6.9)
