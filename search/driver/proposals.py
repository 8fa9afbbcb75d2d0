"""What a study trains next: what was asked for first, then random points or the searcher's."""

from collections import deque
from collections.abc import Collection, Iterable
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


class Proposals:
    """The points of a study, one after the other.

    Args:
        repeats: trained again with other seeds, before all else.
        initial: first points, before all others; those that the study has are passed over.
        warm: points of earlier studies, before the searcher's but not in the baseline's turn.
        searcher: proposes the rest, under `name`.
        baseline: proposes a share of the trials behind the initial points, so that the searcher
            can be compared with it.
        share: of the baseline, 0 to 1.
        nothing_else: whether `repeats` are all there is.
    """

    def __init__(
        self,
        repeats: Iterable[Proposal],
        initial: Iterable[Proposal],
        warm: Iterable[Proposal],
        searcher: Searcher[Architecture],
        name: str,
        baseline: Searcher[Architecture],
        share: float,
        *,
        nothing_else: bool = False,
    ) -> None:
        self._repeats = deque(repeats)
        self._initial, self._warm = deque(initial), deque(warm)
        self._searcher, self._name = searcher, name
        self._baseline, self._share = baseline, share
        self._nothing_else = nothing_else

    @property
    def repeats(self) -> int:
        """How many repeats are still to be handed out."""
        return len(self._repeats)

    def repeat(self) -> Proposal | None:
        """The next repeat; None when there is none."""
        return self._repeats.popleft() if self._repeats else None

    def give_back(self, proposal: Proposal) -> None:
        """One that could not be written down is the next to be handed out again."""
        (self._repeats if proposal.repeat else self._initial).appendleft(proposal)

    def first(self, has: Collection[str], avoid: Collection[str]) -> Proposal:
        """The next architecture that the study does not have yet.

        Args:
            has: ids of the architectures that it has; their number decides whose turn it is.
            avoid: ids that others are training.

        Raises:
            Exhausted: there is none.
        """
        asked = _first_new(self._initial, has, avoid)
        if asked is not None:
            return asked
        if self._nothing_else:
            raise Exhausted(_ELSEWHERE if avoid else "nothing but repeats was asked for")
        if random_points(self._share, len(has) + 1, len(has)):
            return _asked(self._baseline, BASELINE, avoid)
        warm = _first_new(self._warm, has, avoid)
        return _asked(self._searcher, self._name, avoid) if warm is None else warm


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
