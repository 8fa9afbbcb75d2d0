"""Optuna's samplers as searchers: TPE, NSGA-II and the Gaussian process."""

from search.searchers.optuna_samplers.gp import GpSearcher
from search.searchers.optuna_samplers.nsga2 import Nsga2Searcher
from search.searchers.optuna_samplers.tpe import TpeSearcher

__all__ = ["GpSearcher", "Nsga2Searcher", "TpeSearcher"]
