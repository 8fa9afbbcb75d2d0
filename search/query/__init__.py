"""Questions to the store: the where language, the best architectures, the Pareto front.

Nothing here imports torch, Ray or Optuna.
"""

from search.objectives import Objective, Objectives
from search.query.aims import Aims, aims, listed
from search.query.baseline import Comparison, comparison
from search.query.best import SORT_KEYS, BestRow, best
from search.query.data_words import chance_sentence, chance_sentences, data_sentences
from search.query.fields import FIELDS
from search.query.figure_words import figure_words
from search.query.front import front, front_of
from search.query.judged import Judged, judged
from search.query.operators import OperatorStanding, standings
from search.query.optimism import OPTIMISTIC, optimism, optimism_of
from search.query.paired import Pair, chance_of_images, paired
from search.query.pareto import pareto_front
from search.query.places import places
from search.query.repeats import spreads
from search.query.spread import Spread
from search.query.study_method import method_sentence
from search.query.tried import Fates, fate_words, tried_alone
from search.query.where import Where, parse_where

__all__ = [
    "FIELDS",
    "OPTIMISTIC",
    "SORT_KEYS",
    "Aims",
    "BestRow",
    "Comparison",
    "Fates",
    "Judged",
    "Objective",
    "Objectives",
    "OperatorStanding",
    "Pair",
    "Spread",
    "Where",
    "aims",
    "best",
    "chance_of_images",
    "chance_sentence",
    "chance_sentences",
    "comparison",
    "data_sentences",
    "fate_words",
    "figure_words",
    "front",
    "front_of",
    "judged",
    "listed",
    "method_sentence",
    "optimism",
    "optimism_of",
    "paired",
    "pareto_front",
    "parse_where",
    "places",
    "spreads",
    "standings",
    "tried_alone",
]
