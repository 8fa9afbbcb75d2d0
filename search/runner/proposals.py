"""What a study trains next: what was asked for first, then random points or the searcher's."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import floor

from search.query.baseline import BASELINE
from search.searchers import Exhausted, Searcher
from space import Architecture

_ROUNDS = 16
_ATTEMPTS = 16
"""Attempts that a searcher makes for one answer; the next round begins behind them."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An architecture to train.

    Attributes:
        origin: who proposes it. repeat: 0, or the number of a repeat with other seeds.
    """

    architecture: Architecture
    origin: str
    repeat: int = 0


class Proposals:
    """The points of a study, one after the other.

    Args:
        repeats: trained again with other seeds, before all else.
        queue: first points, before the searcher's; those that the study has are passed over.
        searcher: proposes the rest, under `name`.
        baseline: proposes a share of the rest, so that the searcher can be compared with it.
        share: of the baseline among all trials, 0 to 1.
    """

    def __init__(
        self,
        repeats: Iterable[Proposal],
        queue: Iterable[Proposal],
        searcher: Searcher[Architecture],
        name: str,
        baseline: Searcher[Architecture],
        share: float,
    ) -> None:
        self._repeats = deque(repeats)
        self._queue = deque(queue)
        self._searcher, self._name = searcher, name
        self._baseline, self._share = baseline, share

    @property
    def repeats(self) -> int:
        """How many repeats are still to be handed out."""
        return len(self._repeats)

    def repeat(self) -> Proposal | None:
        """The next repeat; None when there is none."""
        return self._repeats.popleft() if self._repeats else None

    def first(self, has: Collection[str], avoid: Collection[str]) -> Proposal:
        """The next architecture that the study does not have yet.

        Args:
            has: ids of the architectures that it has; their number decides whose turn it is.
            avoid: ids that others are training.

        Raises:
            Exhausted: there is none.
        """
        while self._queue:
            asked = self._queue.popleft()
            if asked.architecture.id not in has and asked.architecture.id not in avoid:
                return asked
        # So many of the first n trials are random: the share of n, rounded down.
        random = floor((len(has) + 1) * self._share) > floor(len(has) * self._share)
        searcher, origin = (self._baseline, BASELINE) if random else (self._searcher, self._name)
        for attempt in range(0, _ROUNDS * _ATTEMPTS, _ATTEMPTS):
            architecture = searcher.ask(attempt)
            if architecture.id not in avoid:
                return Proposal(architecture, origin)
        raise Exhausted("what is left is being trained by other studies with the same protocol")
