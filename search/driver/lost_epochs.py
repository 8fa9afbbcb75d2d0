"""Epochs whose weights are lost: which are trained again, and that a person knows it before."""

from collections.abc import Callable

from search.driver.attempt import Attempt
from search.driver.checkpoints import Checkpoints
from search.study import Study
from space import Architecture


def tell_of_loss(live: Attempt, checkpoints: Checkpoints, say: Callable[[str], None]) -> None:
    """Say which epochs of a trial that is handed out are trained again, before they are."""
    done, held = live.epochs_done, checkpoints.epochs_of(live.record)
    if held is None or held >= done:
        return
    live.told_of_loss = True
    what = "is gone" if not held else f"holds {held} of {done} epochs"
    place, number = checkpoints.file(live.record), live.record.number
    say(f"Trial {number}: its checkpoint {place} {what}; {_again(held, done)}")


def forget_lost(
    live: Attempt, reported: int, study: Study[Architecture], say: Callable[[str], None]
) -> None:
    """Drop epochs of an earlier attempt that the worker does not know: its file was lost.

    Args:
        live: the trial. reported: the last epoch that its worker reports, which it has just
            trained, again.
        study: has the epochs. say: tells a person, unless that was done before.
    """
    done, kept = live.epochs_done, reported - 1
    if done <= reported:
        return
    if not live.told_of_loss:
        why = "its checkpoint was damaged or lost"
        say(f"Trial {live.record.number}: {why}; {_again(kept, done)}")
    study.forget(live.record.number, kept)


def _again(held: int, done: int) -> str:
    lost = f"epoch {done} is" if done == held + 1 else f"epochs {held + 1} to {done} are"
    return f"{lost} trained again"
