"""How much goes wrong before a run gives up."""

import re
from dataclasses import dataclass

from search.store import TrialState

# What differs between two trials that fail alike: numbers, addresses, ids, paths.
_OWN = re.compile(
    r"0x[0-9a-f]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|"
    r"(?:/[^\s/:'\"]+)+|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much goes wrong before a run gives up.

    Attributes:
        retries: how often a trial is taken up again after its worker was killed.
        first_failures: the run stops when its first that many trials fail alike; None never.
        trial_seconds: a trial without a sign of life for so long is hung; None never.
        store_seconds: for so long the store may be away.
    """

    retries: int = 1
    first_failures: int | None = None
    trial_seconds: float | None = None
    store_seconds: float = 600.0


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
        if not broken or not self._alike(f"{state}: {reason}"):
            self._limit = None
            return None
        self._reasons.append(f"{state}: {reason}")
        if len(self._reasons) < self._limit:
            return None
        self._limit = None
        how = "failed" if state == TrialState.FAILED else "were infeasible"
        return f"the first {len(self._reasons)} trials of this run {how} alike: {reason}"

    def _alike(self, reason: str) -> bool:
        return not self._reasons or _pattern(self._reasons[0]) == _pattern(reason)


def _pattern(reason: str) -> str:
    return _OWN.sub("#", reason)
