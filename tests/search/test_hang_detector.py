"""Who hangs, and what is said of those that nobody takes up; by a clock that the test sets."""

from types import SimpleNamespace
from typing import Any

import pytest

from search.driver.attempt import Attempt, HangDetector


class Clock:
    """Seconds that pass when a test says so, in steps that are no pause."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        patch.setattr("search.driver.attempt.time", SimpleNamespace(monotonic=lambda: self.now))

    def pass_by(self, seconds: float, detector: HangDetector) -> list[int]:
        """Look all the time; the numbers of those that had hung at the last look."""
        found: list[int] = []
        for _ in range(round(seconds)):
            self.now += 1
            found = detector.look()
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def attempt(clock: Clock) -> Attempt:
    nothing: Any = None
    return Attempt(nothing, nothing, handed_out=clock.now)


def test_that_no_worker_begins_is_said_once(clock: Clock) -> None:
    said: list[str] = []
    detector = HangDetector({1: attempt(clock), 2: attempt(clock)}, 60.0, said.append)
    assert clock.pass_by(120, detector) == []
    assert said == []
    assert clock.pass_by(300, detector) == [], "what never began does not hang"
    assert said == [
        "2 trials waiting for a worker since 2 min 1 s: no node has room, or no worker starts"
    ]


def test_where_one_has_begun_the_others_wait_for_room(clock: Clock) -> None:
    said: list[str] = []
    running = attempt(clock)
    running.give_sign()
    clock.pass_by(500, HangDetector({1: running, 2: attempt(clock)}, None, said.append))
    assert said == []


def test_a_trial_without_a_sign_of_life_has_hung(clock: Clock) -> None:
    live = {number: attempt(clock) for number in (1, 2)}
    detector = HangDetector(live, 60.0, print)
    for each in live.values():
        each.give_sign()
    assert clock.pass_by(60, detector) == []
    live[2].give_sign()
    assert clock.pass_by(1, detector) == [1]


def test_while_this_process_stood_still_nobody_could_be_heard(clock: Clock) -> None:
    live = {1: attempt(clock)}
    detector = HangDetector(live, 60.0, print)
    live[1].give_sign()
    assert clock.pass_by(50, detector) == []
    clock.now += 1000
    assert detector.look() == []
    assert clock.pass_by(10, detector) == []
    assert clock.pass_by(1, detector) == [1]
