"""How well what is cheap to know tells the order of full trainings. Arrays alone, no torch."""

from search.fidelity.agreement import ENOUGH, Agreement, Difference, agreement, difference, spearman
from search.fidelity.ceiling import Ceiling, ceiling
from search.fidelity.ledger import SIZES, FullResults, LedgerRow, Proxy, ledger
from search.fidelity.top_picks import TopPick, top_picks
from search.fidelity.without_size import without_size

__all__ = [
    "ENOUGH",
    "SIZES",
    "Agreement",
    "Ceiling",
    "Difference",
    "FullResults",
    "LedgerRow",
    "Proxy",
    "TopPick",
    "agreement",
    "ceiling",
    "difference",
    "ledger",
    "spearman",
    "top_picks",
    "without_size",
]
