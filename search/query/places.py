"""The places of a ranking, in which what the spread does not separate is a tie."""

from collections import Counter
from collections.abc import Mapping, Sequence

from search.query.best import BestRow
from search.query.spread import Spread
from search.store.states import TrialState


def places(rows: Sequence[BestRow], spreads: Mapping[str, Spread]) -> list[str]:
    """The place of every row, "=2" for each of those that share the second.

    Args:
        rows: in order of falling accuracy; a row shares the place of the first one above it from
            which the spread does not separate it, counted from the best down.
        spreads: by protocol hash; rows of different protocols are never ties.
    """
    first = 0
    leaders = []
    for index, row in enumerate(rows):
        if not _ties(rows[first], row, spreads):
            first = index
        leaders.append(first)
    shared = Counter(leaders)
    return [f"={lead + 1}" if shared[lead] > 1 else str(lead + 1) for lead in leaders]


def _ties(above: BestRow, below: BestRow, spreads: Mapping[str, Spread]) -> bool:
    spread = spreads.get(above.protocol_hash)
    if spread is None or above.protocol_hash != below.protocol_hash:
        return False
    if {above.state, below.state} != {TrialState.COMPLETE}:
        return False  # what was pruned would have gone further, nobody knows how far
    if above.accuracy is None or below.accuracy is None:
        return False
    difference = above.accuracy - below.accuracy
    return not spread.separates(difference, above.repeats, below.repeats)
