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


def test_a_silence_is_said_once_and_each_one(caplog: pytest.LogCaptureFixture) -> None:
    gone = StoreError("gone")
    heartbeat = Heartbeat(Flaky(gone, gone, True, True, gone, True).heartbeat, 3)
    with caplog.at_level(logging.WARNING):
        assert all(heartbeat._beat_once() for _ in range(6))
    assert [record.getMessage() for record in caplog.records] == [
        "heartbeat of run 3: gone; trying on",
        "heartbeat of run 3: the store answers again",
    ] * 2


def test_it_knows_when_it_was_answered() -> None:
    heartbeat = Heartbeat(Flaky(True, StoreError("gone"), True).heartbeat, 3)
    before = time.monotonic()
    assert not heartbeat.answered_since(before)
    heartbeat._beat_once()
    assert heartbeat.answered_since(before)
    after = time.monotonic()
    heartbeat._beat_once()  # the store is away
    assert not heartbeat.answered_since(after)
    heartbeat._beat_once()
    assert heartbeat.answered_since(after)
