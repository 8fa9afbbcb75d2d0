"""Asynchronous successive halving (Li et al., 2020), the stopping variant. Pure Python, no Ray."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a trial after an epoch: `stop` it for the `reason`, or go on."""

    stop: bool
    reason: str = ""


GO_ON = Verdict(stop=False)


class Asha:
    """Stops a trial at a rung unless it is among the best 1/reduction_factor that reached it.

    Rungs lie at grace_epochs · reduction_factor^i below the full length, so no trial is stopped
    before grace_epochs. At every rung at least the best trial so far goes on.

    A value is taken at the first report at or beyond a rung and not changed by a later one, so
    repeating the history of a study (in any order of trials) leads to the same rungs.

    Args:
        grace_epochs: epochs of the first rung.
        reduction_factor: at a rung, one of that many trials goes on.
        max_epochs: length of a full training.
    """

    def __init__(self, grace_epochs: int, reduction_factor: int, max_epochs: int) -> None:
        if grace_epochs < 1 or reduction_factor < 2:
            raise ValueError("grace_epochs must be at least 1 and reduction_factor at least 2")
        self._reduction_factor = reduction_factor
        self._rungs: dict[int, dict[str, float]] = {}
        rung = grace_epochs
        while rung < max_epochs:
            self._rungs[rung] = {}
            rung *= reduction_factor

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs at which trials are compared."""
        return tuple(self._rungs)

    def report(self, trial: str, epoch: int, value: float) -> Verdict:
        """Take a trial's objective (higher is better) after an epoch, and judge it."""
        verdict = GO_ON
        for rung, values in self._rungs.items():
            if rung <= epoch and trial not in values:
                values[trial] = value
                verdict = self._judge(rung, trial)
                if verdict.stop:
                    break
        return verdict

    def _judge(self, rung: int, trial: str) -> Verdict:
        values = self._rungs[rung]
        better = sum(other > values[trial] for other in values.values())
        places = max(1, len(values) // self._reduction_factor)
        if better < places:
            return GO_ON
        went_on = "only the best" if places == 1 else f"the best {places}"
        after = "1 epoch" if rung == 1 else f"{rung} epochs"
        reason = f"place {better + 1} of {len(values)} after {after}; {went_on} went on (asha)"
        return Verdict(stop=True, reason=reason)


class NoScheduler:
    """Lets every trial train to its end."""

    def report(self, trial: str, epoch: int, value: float) -> Verdict:
        """Always go on."""
        return GO_ON


Scheduler = Asha | NoScheduler
