"""The places of a ranking, in which what the spread does not separate is a tie."""

from collections import Counter
from collections.abc import Mapping, Sequence

from search.query.best import BestRow
from search.query.spread import Spread
from space.wording import NONE


def places(rows: Sequence[BestRow], spreads: Mapping[str, Spread]) -> list[str]:
    """The place of every row, "=2" for each of those that share the second.

    Args:
        rows: in order of falling accuracy. The complete rows of each protocol are compared from
            the best down: one that the spread does not separate from the leader shares its place,
            one that it does is the next leader. Rows between them of another protocol have the
            place where they stand, and break no tie. What is not complete has no place ("–").
        spreads: by protocol hash; rows of different protocols are never ties.
    """
    current: dict[str, int] = {}
    leaders = []
    for index, row in enumerate(rows):
        leaders.append(index)
        spread = spreads.get(row.protocol_hash) if row.is_complete else None
        if spread is None or row.accuracy is None:
            continue
        first = current.get(row.protocol_hash)
        if first is not None and _ties(rows[first], row, spread):
            leaders[index] = first
        else:
            current[row.protocol_hash] = index
    shared = Counter(leaders)
    named = [f"={lead + 1}" if shared[lead] > 1 else str(lead + 1) for lead in leaders]
    # What was pruned would have gone on, nobody knows where to.
    return [place if row.is_complete else NONE for place, row in zip(named, rows, strict=True)]


def _ties(above: BestRow, below: BestRow, spread: Spread) -> bool:
    difference = (above.accuracy or 0.0) - (below.accuracy or 0.0)
    return not spread.separates(difference, above.repeats, below.repeats)
