"""The judge of the campaign sees each kind of damage, and nothing where there is none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.campaign.drivers import Driver, start_driver
from tests.campaign.looking import EventRow, Look, RunRow, TrialRow
from tests.campaign.study import Seen
from tests.campaign.verdict import (
    Figures,
    duplicates,
    files_left,
    lost_epochs,
    not_reached,
)


def sound(trials: int = 3, epochs: int = 4) -> Look:
    numbers = range(1, epochs + 1)
    return Look(
        trials,
        tuple(TrialRow(n, f"a{n}", "complete", None, 0, 1) for n in range(trials)),
        {(n, f"a{n}", e): n + e / 10 for n in range(trials) for e in numbers},
        tuple(
            EventRow(n, kind, epoch)
            for n in range(trials)
            for kind, epoch in [*(("epoch", e) for e in numbers), ("complete", None)]
        ),
        (RunRow(1, True, "the run ended"),),
    )


def seen_of(*looks: Look) -> Seen:
    seen = Seen()
    for look in looks:
        seen.note({}, look)
    return seen


def test_nothing_is_found_in_a_sound_study() -> None:
    look, seen = sound(), seen_of(sound(epochs=2), sound())
    assert not_reached(look) + duplicates(look, seen) + lost_epochs(look, seen) == []


@given(st.sampled_from(sorted(sound().epochs)))
def test_an_epoch_that_was_seen_once_must_stay(epoch: tuple[int, str, int]) -> None:
    left = replace(sound(), epochs={e: s for e, s in sound().epochs.items() if e != epoch})
    seen = seen_of(sound())
    assert len(lost_epochs(left, seen)) == 1
    assert f"epoch {epoch[2]} of trial {epoch[0]} is gone" in lost_epochs(left, seen)


@given(st.sampled_from(sorted(sound().epochs)))
def test_an_epoch_that_takes_another_time_was_trained_again(epoch: tuple[int, str, int]) -> None:
    again = replace(sound(), epochs={**sound().epochs, epoch: 7.5})
    seen = seen_of(sound(), again)
    assert lost_epochs(again, seen) == [f"epoch {epoch[2]} of trial {epoch[0]} was trained again"]


def test_an_epoch_that_only_the_checkpoint_held_counts_too() -> None:
    seen = Seen()
    seen.note({(0, "a0", 5): 1.5}, sound())
    assert lost_epochs(sound(), seen) == ["epoch 5 of trial 0 is gone"]


def test_epochs_that_were_forgotten_are_lost() -> None:
    look = sound()
    told = replace(look, events=(*look.events, EventRow(1, "forgotten", 2)))
    assert lost_epochs(told, seen_of(look)) == ["trial 1 forgot epochs"]


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ({"trials": (*sound().trials, TrialRow(9, "a1", "complete", None, 0, 1))}, "two trials"),
        ({"events": (*sound().events, EventRow(2, "epoch", 3))}, "recorded twice"),
        ({"events": (*sound().events, EventRow(2, "pruned", None))}, "ended twice"),
    ],
)
def test_what_is_there_twice(damage: dict[str, Any], word: str) -> None:
    look = replace(sound(), **damage)
    found = duplicates(look, seen_of(look))
    assert len(found) == 1
    assert word in found[0]


def test_a_repeat_is_no_duplicate() -> None:
    look = sound()
    repeated = replace(look, trials=(*look.trials, TrialRow(9, "a1", "complete", None, 1, 1)))
    assert duplicates(repeated, seen_of(repeated)) == []


def test_two_runs_at_once_are_seen() -> None:
    open_runs = tuple(RunRow(n, False, None) for n in (1, 2))
    seen = seen_of(replace(sound(), runs=open_runs), sound())
    assert duplicates(sound(), seen) == ["2 runs were open at once"]


@pytest.mark.parametrize("state", ["failed", "preempted", "running", "infeasible", "waiting"])
def test_a_trial_that_did_not_come_to_its_end(state: str) -> None:
    look = sound()
    other = replace(look.trials[1], state=state, reason="why")
    broken = replace(look, trials=(look.trials[0], other, look.trials[2]))
    assert not_reached(broken) == [f"trial 1 is {state}: why"]


def test_trials_that_are_lacking() -> None:
    assert not_reached(replace(sound(), planned=5)) == ["2 trials were never made"]
    assert not_reached(None) == ["the store cannot be read"]


def test_files_that_stay_and_files_that_must_not(tmp_path: Path) -> None:
    folder, private = tmp_path / "study", tmp_path / "mixspace-ray-x"
    kept = folder / "checkpoints" / "campaign-0"
    kept.mkdir(parents=True)
    (folder / "tmp").mkdir()
    meant = [folder / "study.yaml", folder / "store.db", folder / "driver-01.stderr"]
    meant += [kept / "00000-a.safetensors", kept / "00000-a.log"]
    left = [folder / "store.db-wal", kept / "journal-of-run-1.jsonl", folder / "tmp" / "x"]
    left += [kept / "00000-a.safetensors.partial", kept / "x.lock"]
    for path in meant + left:
        path.touch()
    private.mkdir()
    found = files_left(folder, [private, tmp_path / "gone"])
    assert sorted(found) == sorted(str(path) for path in [*left, private])


def test_counts_add_up_and_only_the_first_may_differ_from_0() -> None:
    whole = Figures(4, 4)
    assert whole.sound
    assert (whole + whole).sound
    assert not Figures(4, 3).sound
    for place in range(2, 9):
        figures = [4, 4, *[0] * 7]
        figures[place] = 1
        assert not (whole + Figures(*figures)).sound


STACKS = [
    "Traceback (most recent call last):",
    "*** SIGABRT received at time=1 on cpu 0 ***",
    "[x C 1 2] client.cc:3: Check failed: 1 == 2",
    "Fatal Python error: Segmentation fault",
]


@pytest.fixture
def refused(tmp_path: Path) -> Driver:
    """A driver that ends at once: its configuration is none."""
    (tmp_path / "study.yaml").write_text("[]")
    driver = start_driver(tmp_path, 1, "mark")
    driver.popen.wait(60)
    return driver


def test_what_a_driver_has_said(refused: Driver) -> None:
    assert refused.code == 2
    assert refused.ended_silently
    assert not refused.has_traceback
    for stack in STACKS:
        refused.errors.write_text(f"1/4 trials done\n{stack}\n")
        assert refused.has_traceback
    refused.errors.write_text("x\nStopped: killed. To go on: python -m search run a --resume\n")
    assert not refused.has_traceback
    assert not refused.ended_silently
    refused.errors.write_text("Stopped: killed. To go on: search run a --resume\nand more\n")
    assert refused.ended_silently
