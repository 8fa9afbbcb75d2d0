"""A row of the leaderboard, and the ranks of rows, where the spread over seeds tells them apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search.query.protocols import refuse_mixed
from search.query.repeats import Spread
from search.trial_states import TrialState
from space.wording import NONE, percent

OPERATOR_SEPARATOR = " + "
"""Between the distinct mixer names of an architecture."""


@dataclass(frozen=True, slots=True)
class BestRow:
    """An architecture with its best trial; of equals one that trained itself, then the oldest.

    Attributes:
        accuracy: validation accuracy (0 to 1) of the epoch that the trial is judged by; None
            without a finite one. The mean over `repeats` where the architecture was trained
            several times.
        params: number of parameters.
        macs: multiply-accumulates for one image (the paper prints these as FLOPs).
        epochs: how many epochs the trial has.
        seconds: training time of those epochs.
        operators: the distinct mixer names in order, joined by " + ".
        study: name of the trial's study.
        trial: the trial's number in its study.
        protocol_hash: results compare only where it is equal.
        repeats: how many complete trainings from scratch with this protocol, each with seeds of its
            own, the accuracy stands on, those of reused results too; 1 also for a pruned trial.
        judged_by: "last" or "best" of the epochs, by the protocol; the best is optimistic.
        deviation: their standard deviation; None for one.
    """

    architecture_id: str
    accuracy: float | None
    params: int
    macs: int
    epochs: int
    seconds: float
    block_type: str
    depth: int
    operators: str
    study: str
    trial: int
    trial_id: int
    state: TrialState
    origin: str
    protocol_hash: str
    judged_by: str = "last"
    repeats: int = 1
    deviation: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether its trial was trained to the end: only such accuracies compare."""
        return self.state is TrialState.COMPLETE

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct mixer names, in order of first use."""
        return tuple(self.operators.split(OPERATOR_SEPARATOR))

    @property
    def accuracy_words(self) -> str:
        """The accuracy, with its standard deviation over several trainings: "86.73% ± 0.41%"."""
        spread = "" if self.deviation is None else f" ± {percent(self.deviation)}"
        return percent(self.accuracy) + spread

    def plain(self) -> dict[str, Any]:
        """For JSON; the MACs also as `flops`, their name in what earlier releases printed."""
        return asdict(self) | {"flops": self.macs}


def ranks(rows: Sequence[BestRow], spreads: Mapping[str, Spread]) -> list[str]:
    """The rank of every row, "=2" for each of those that share the second.

    Args:
        rows: of one protocol, in order of falling accuracy. The complete ones are compared from
            the best down: one that the spread does not separate from the leader shares its place,
            one that it does is the next leader. What is not complete has no place ("–").
        spreads: by protocol hash; without that of the rows nothing is a tie.

    Raises:
        InputError: rows of several protocols.
    """
    refuse_mixed(rows)
    leader: int | None = None
    leaders = []
    for index, row in enumerate(rows):
        leaders.append(index)
        spread = spreads.get(row.protocol_hash) if row.is_complete else None
        if spread is None or row.accuracy is None:
            continue
        if leader is not None and _ties(rows[leader], row, spread):
            leaders[index] = leader
        else:
            leader = index
    shared = Counter(leaders)
    named = [f"={lead + 1}" if shared[lead] > 1 else str(lead + 1) for lead in leaders]
    # What was pruned would have gone on, nobody knows where to.
    return [place if row.is_complete else NONE for place, row in zip(named, rows, strict=True)]


def _ties(above: BestRow, below: BestRow, spread: Spread) -> bool:
    difference = (above.accuracy or 0.0) - (below.accuracy or 0.0)
    return not spread.separates(difference, above.repeats, below.repeats)
