"""Which point of a study comes next, and what is said when there is none."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest

from search.driver.proposals import Proposal, Proposals
from search.query.baseline import BASELINE
from search.searchers import Exhausted
from space import Architecture
from tests.support.samples import architecture

A, B, C, D = (architecture(number) for number in range(4))
ELSEWHERE = "^what is left is being trained by other studies with the same protocol$"


@dataclass
class Asked:
    """In the place of a searcher: gives points in turn, the last one for ever."""

    points: list[Architecture]
    attempts: int = 3
    asked: list[int] = field(default_factory=list)

    def ask(self, attempt: int) -> Architecture:
        self.asked.append(attempt)
        return self.points[min(len(self.asked), len(self.points)) - 1]


def proposals(**changes: Any) -> Proposals:
    values: dict[str, Any] = {
        "repeats": deque(),
        "initial": deque(),
        "warm": deque(),
        "searcher": Asked([C]),
        "name": "evolution",
        "baseline": Asked([D]),
        "share": 0.0,
        "nothing_else": False,
    }
    return Proposals(**values | changes)


def test_initial_points_are_passed_over_where_the_study_or_another_one_has_them() -> None:
    initial = deque(Proposal(each, f"initial: {each.id}") for each in (A, B, C))
    found = proposals(initial=initial)
    assert found.first({A.id}, {B.id}) == Proposal(C, f"initial: {C.id}")
    assert not found.initial


def test_warm_points_stand_before_the_searchers_but_not_in_the_baselines_turn() -> None:
    found = proposals(share=0.5, warm=deque([Proposal(A, "warm"), Proposal(B, "warm")]))
    has: list[str] = []
    origins = []
    for number in range(6):
        origins.append(found.first(has, ()).origin)
        has.append(str(number))
    assert origins == ["warm", BASELINE, "warm", BASELINE, "evolution", BASELINE]


def test_a_searcher_is_asked_behind_the_attempts_of_the_round_before() -> None:
    searcher = Asked([A, B, C])
    found = proposals(searcher=searcher)
    assert found.first((), {A.id, B.id}) == Proposal(C, "evolution")
    assert searcher.asked == [0, 3, 6]


def test_where_others_train_all_that_is_left_that_is_said_after_some_rounds() -> None:
    searcher = Asked([A])
    with pytest.raises(Exhausted, match=ELSEWHERE):
        proposals(searcher=searcher).first((), {A.id})
    assert searcher.asked == [3 * round_ for round_ in range(16)]


def test_where_nothing_but_repeats_was_asked_for_the_searcher_is_not_asked() -> None:
    found = proposals(nothing_else=True, share=1.0, warm=deque([Proposal(A, "warm")]))
    with pytest.raises(Exhausted, match=r"^nothing but repeats was asked for$"):
        found.first({B.id}, ())
    with pytest.raises(Exhausted, match=ELSEWHERE):
        found.first({B.id}, {A.id})


def test_a_repeat_that_is_given_back_is_the_next() -> None:
    repeats = deque(Proposal(each, "repeat of trial 3", 1) for each in (A, B))
    found = proposals(repeats=repeats)
    first = found.repeat()
    assert first == Proposal(A, "repeat of trial 3", 1)
    found.give_back(first)
    assert [found.repeat(), found.repeat(), found.repeat()] == [
        first,
        Proposal(B, first.origin, 1),
        None,
    ]
