"""What a study trains next: what was asked for first, then random points or the searcher's."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from search.query.baseline import BASELINE, random_points
from search.searchers import Exhausted, Searcher
from space import Architecture

_ROUNDS = 16
"""How often a searcher is asked for a point that nobody else trains."""

_ELSEWHERE = "what is left is being trained by other studies with the same protocol"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An architecture to train.

    Attributes:
        origin: who proposes it. repeat: 0, or the number of a repeat with other seeds.
    """

    architecture: Architecture
    origin: str
    repeat: int = 0


@dataclass(kw_only=True, slots=True)
class Proposals:
    """The points of a study, one after the other.

    Attributes:
        repeats: trained before all else: again, with other seeds, or as they were given back.
        initial: first points, before all others; those that the study has are passed over.
        warm: points of earlier studies, before the searcher's but not in the baseline's turn.
        searcher: proposes the rest, under `name`.
        baseline: proposes a share of the trials behind the initial points, so that the searcher
            can be compared with it.
        share: of the baseline, 0 to 1.
        nothing_else: whether `repeats` are all there is.
    """

    repeats: deque[Proposal]
    initial: deque[Proposal]
    warm: deque[Proposal]
    searcher: Searcher[Architecture]
    name: str
    baseline: Searcher[Architecture]
    share: float
    nothing_else: bool

    def repeat(self) -> Proposal | None:
        """The next repeat; None when there is none."""
        return self.repeats.popleft() if self.repeats else None

    def give_back(self, proposal: Proposal) -> None:
        """One that could not be written down is the next to be handed out again."""
        self.repeats.appendleft(proposal)

    def first(self, has: Collection[str], avoid: Collection[str]) -> Proposal:
        """The next architecture that the study does not have yet.

        Args:
            has: ids of the architectures that it has; their number decides whose turn it is.
            avoid: ids that others are training.

        Raises:
            Exhausted: there is none.
        """
        asked = _first_new(self.initial, has, avoid)
        if asked is not None:
            return asked
        if self.nothing_else:
            raise Exhausted(_ELSEWHERE if avoid else "nothing but repeats was asked for")
        if random_points(self.share, len(has) + 1, len(has)):
            return _asked(self.baseline, BASELINE, avoid)
        warm = _first_new(self.warm, has, avoid)
        return _asked(self.searcher, self.name, avoid) if warm is None else warm


def _first_new(
    queue: deque[Proposal], has: Collection[str], avoid: Collection[str]
) -> Proposal | None:
    """The first of a queue that can be trained; what stands before it is dropped."""
    while queue:
        asked = queue.popleft()
        if asked.architecture.id not in has and asked.architecture.id not in avoid:
            return asked
    return None


def _asked(searcher: Searcher[Architecture], origin: str, avoid: Collection[str]) -> Proposal:
    """A point of the searcher; each round begins behind the attempts of the one before."""
    for attempt in range(0, _ROUNDS * searcher.attempts, searcher.attempts):
        architecture = searcher.ask(attempt)
        if architecture.id not in avoid:
            return Proposal(architecture, origin)
    raise Exhausted(_ELSEWHERE)
