"""How much goes wrong before a run gives up."""

import re
from collections import Counter

from search.store import TrialState
from trainers import Failure, Retry

_OFTEN = 10
"""So often a trial goes on that has lost its node: it may be the trial that brings nodes down."""

# What differs between two trials that fail alike: numbers, addresses, ids, paths.
_OWN = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|"
    r"(?:/[^\s/:'\"]+)+|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?",
    re.IGNORECASE,
)


class FirstFailures:
    """Notices that whatever a run tries fails in the same way.

    Args:
        limit: so many trials, none that ended otherwise before them, must fail alike; None looks
            at nothing.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._reasons: list[str] = []

    def ended(self, state: TrialState, reason: str | None) -> str | None:
        """A trial has ended; why to stop, None to go on."""
        if self._limit is None:
            return None
        broken = state in (TrialState.FAILED, TrialState.INFEASIBLE)
        self._reasons.append(_OWN.sub("#", f"{state}: {reason}"))
        if not broken or self._reasons[0] != self._reasons[-1]:
            self._limit = None
            return None
        if len(self._reasons) < self._limit:
            return None
        self._limit = None
        how = "failed" if state == TrialState.FAILED else "were infeasible"
        return f"the first {len(self._reasons)} trials of this run {how} alike: {reason}"


class Retries:
    """How often a trial goes on in another worker.

    Args:
        after_kills: of those whose worker was killed, or died.
    """

    def __init__(self, after_kills: int) -> None:
        self._allowed = {Retry.NEVER: 0, Retry.COUNTED: after_kills, Retry.OFTEN: _OFTEN}
        self._tried: Counter[tuple[int, Retry]] = Counter()
        self._hung: set[int] = set()

    def takes_up(self, number: int, failure: Failure, *, hung: bool) -> bool:
        """Whether a trial that broke off is taken up again, which counts; a hung one is once."""
        if hung:
            first = number not in self._hung
            self._hung.add(number)
            return first
        tried = self._tried[number, failure.retry]
        self._tried[number, failure.retry] += 1
        return tried < self._allowed[failure.retry]
