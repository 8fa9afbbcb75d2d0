"""Asynchronous successive halving."""

import random

import pytest

from search.objectives import ACCURACY
from search.schedulers import Asha, Decision, NoScheduler


class Judge:
    """An ASHA of one metric."""

    def __init__(self, grace: int, factor: int, epochs: int) -> None:
        self._asha = Asha(ACCURACY, epochs, grace_epochs=grace, reduction_factor=factor)
        self.rungs = self._asha.rungs

    def report(self, trial: str, epoch: int, value: float) -> Decision:
        return self._asha.report(trial, epoch, {"validation_accuracy": value})


def test_rungs_lie_below_the_full_length() -> None:
    assert Judge(1, 3, 27).rungs == (1, 3, 9)
    assert Judge(2, 3, 8).rungs == (2, 6)
    assert Judge(5, 3, 5).rungs == ()


def test_nothing_stops_before_the_grace_epochs() -> None:
    asha = Judge(3, 2, 8)
    asha.report("good", 3, 0.9)
    assert not asha.report("bad", 1, 0.0).stop
    assert not asha.report("bad", 2, 0.0).stop
    assert asha.report("bad", 3, 0.0).stop


def test_the_best_so_far_goes_on_and_the_reason_says_what_happened() -> None:
    asha = Judge(1, 3, 9)
    assert not asha.report("a", 1, 0.5).stop
    decision = asha.report("b", 1, 0.4)
    assert decision.stop
    assert decision.reason == "place 2 of 2 after 1 epoch; only the best went on (asha)"
    assert not asha.report("c", 1, 0.6).stop
    for index in range(3):
        asha.report(f"d{index}", 1, 0.1)
    assert not asha.report("e", 1, 0.55).stop  # place 2 of 7, and 2 go on
    assert asha.report("f", 1, 0.45).reason == (
        "place 4 of 8 after 1 epoch; the best 2 went on (asha)"
    )


def test_equal_values_share_a_place() -> None:
    asha = Judge(1, 2, 4)
    assert not asha.report("a", 1, 0.5).stop
    assert not asha.report("b", 1, 0.5).stop


def test_a_trial_that_skips_a_rung_is_judged_there_late() -> None:
    asha = Judge(1, 2, 8)
    asha.report("a", 1, 0.5)
    asha.report("a", 2, 0.6)
    assert asha.report("b", 4, 0.1).stop


def test_repeating_a_report_changes_nothing() -> None:
    asha = Judge(1, 2, 4)
    asha.report("a", 1, 0.5)
    assert asha.report("b", 1, 0.1).stop
    assert not asha.report("b", 1, 0.9).stop  # it was judged there already
    assert asha.report("c", 1, 0.2).stop  # and "b" still counts with 0.1


def test_rebuilt_from_the_curves_it_judges_alike() -> None:
    rng = random.Random(0)
    curves = {str(t): {e: rng.random() for e in range(1, 10)} for t in range(30)}
    live, rebuilt = Judge(1, 3, 9), Judge(1, 3, 9)
    for epoch in range(1, 10):
        for trial in curves:
            live.report(trial, epoch, curves[trial][epoch])
    for trial in reversed(curves):
        for epoch in range(1, 10):
            rebuilt.report(trial, epoch, curves[trial][epoch])
    probes = [(str(100 + i), 1, rng.random()) for i in range(50)]
    assert [live.report(*p).stop for p in probes] == [rebuilt.report(*p).stop for p in probes]


def test_about_one_in_reduction_factor_survives_each_rung() -> None:
    rng = random.Random(1)
    asha = Judge(1, 4, 16)
    gone_on = sum(not asha.report(str(t), 1, rng.random()).stop for t in range(2000))
    assert 450 < gone_on < 560


@pytest.mark.parametrize(("grace", "factor"), [(0, 3), (1, 1)])
def test_bad_settings(grace: int, factor: int) -> None:
    with pytest.raises(ValueError):
        Judge(grace, factor, 9)


def test_no_scheduler_stops_nothing() -> None:
    assert not NoScheduler(ACCURACY, 9).report("a", 1, {"validation_accuracy": 0.0}).stop
