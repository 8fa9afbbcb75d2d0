"""The study: one order of asking, telling and judging, whoever runs the trials."""

from search.study.ledger import Ledger, MemoryLedger
from search.study.study import Study
from search.study.trial import Trial

__all__ = ["Ledger", "MemoryLedger", "Study", "Trial"]
