"""Questions to the store: the where language, the best architectures, the Pareto front.

Command line, dashboard and Python ask through here alike. Nothing here imports torch, Ray or
Optuna.
"""

from search.effects import AxisShare, AxisShares, Effect, MoveKind, interval_in_points
from search.objectives import Objective, Objectives
from search.query.accuracy_cost import AccuracyCost, Density, accuracy_cost
from search.query.accuracy_notes import (
    OPTIMISTIC,
    accuracy_notes,
    chance_sentence,
    chance_sentences,
    data_sentences,
    optimism,
    optimism_of,
)
from search.query.accuracy_over_time import AccuracyOverTime, EndedTrial, accuracy_over_time
from search.query.baseline import BaselineComparison
from search.query.best_row import BestRow, ranks
from search.query.evaluated import (
    Evaluated,
    architecture_texts,
    evaluated,
    latency_records,
    networks,
)
from search.query.failures import (
    FailureKind,
    Failures,
    FailureShare,
    failed_trials,
    failures,
    kind_of_reason,
    trials_of_kind,
)
from search.query.hypervolume_course import (
    HypervolumeCourse,
    HypervolumePoint,
    hypervolume_course,
)
from search.query.intervals import wilson_interval
from search.query.leaderboard import (
    SORT_KEYS,
    BestOfProtocol,
    best,
    best_by_protocol,
    best_statements,
    canonical_sort,
)
from search.query.measured import Measured, measured
from search.query.network_comparison import (
    ComparedNetwork,
    Difference,
    NetworkComparison,
    PairTest,
    compare_networks,
)
from search.query.operators import (
    OperatorRank,
    OperatorRecord,
    Pair,
    StateCounts,
    chance_of_images,
    is_custom,
    operator_ranks,
    operator_records,
    paired,
    state_words,
    trials_by_operators,
)
from search.query.protocols import StudiesOfProtocol, protocols
from search.query.proxy_worth import ProxyWorth, proxy_worth
from search.query.repeats import Spread, spreads
from search.query.split_accuracies import (
    SplitAccuracies,
    SplitComparison,
    TestFigures,
    compare_splits,
    figures_of_tests,
)
from search.query.statement import Statement
from search.query.study_course import (
    CoursePoint,
    RandomBand,
    StudyCourse,
    comparison,
    study_course,
)
from search.query.study_effects import StudyEffects, study_effects
from search.query.study_fidelity import StudyFidelity, paired_fidelity, study_fidelity
from search.query.study_fronts import Cost, front, front_of, pareto_front
from search.query.study_importance import StudyImportance, study_importance
from search.query.study_objectives import (
    StudyObjectives,
    best_within_bounds,
    bound_words,
    method_sentence,
    metric_words,
    study_objectives,
)
from search.query.study_pace import StudyPace, seconds_left, study_pace, training_seconds
from search.query.trained_results import (
    RETRAINS,
    Figures,
    TrainedResult,
    trained_results,
    trained_results_of_study,
)
from search.query.trainings_table import table_effects, table_importance
from search.query.trial_summaries import (
    TrialSummary,
    state_counts,
    trial_summaries,
)
from search.query.trial_table import TABLE_COLUMNS, TABLE_FORMATS, table_format, trial_table
from search.query.where import Where, parse_where
from search.query.where_tree import FIELDS

__all__ = [
    "FIELDS",
    "OPTIMISTIC",
    "RETRAINS",
    "SORT_KEYS",
    "TABLE_COLUMNS",
    "TABLE_FORMATS",
    "AccuracyCost",
    "AccuracyOverTime",
    "AxisShare",
    "AxisShares",
    "BaselineComparison",
    "BestOfProtocol",
    "BestRow",
    "ComparedNetwork",
    "Cost",
    "CoursePoint",
    "Density",
    "Difference",
    "Effect",
    "EndedTrial",
    "Evaluated",
    "FailureKind",
    "FailureShare",
    "Failures",
    "Figures",
    "HypervolumeCourse",
    "HypervolumePoint",
    "Measured",
    "MoveKind",
    "NetworkComparison",
    "Objective",
    "Objectives",
    "OperatorRank",
    "OperatorRecord",
    "Pair",
    "PairTest",
    "ProxyWorth",
    "RandomBand",
    "SplitAccuracies",
    "SplitComparison",
    "Spread",
    "StateCounts",
    "Statement",
    "StudiesOfProtocol",
    "StudyCourse",
    "StudyEffects",
    "StudyFidelity",
    "StudyImportance",
    "StudyObjectives",
    "StudyPace",
    "TestFigures",
    "TrainedResult",
    "TrialSummary",
    "Where",
    "accuracy_cost",
    "accuracy_notes",
    "accuracy_over_time",
    "architecture_texts",
    "best",
    "best_by_protocol",
    "best_statements",
    "best_within_bounds",
    "bound_words",
    "canonical_sort",
    "chance_of_images",
    "chance_sentence",
    "chance_sentences",
    "compare_networks",
    "compare_splits",
    "comparison",
    "data_sentences",
    "evaluated",
    "failed_trials",
    "failures",
    "figures_of_tests",
    "front",
    "front_of",
    "hypervolume_course",
    "interval_in_points",
    "is_custom",
    "kind_of_reason",
    "latency_records",
    "measured",
    "method_sentence",
    "metric_words",
    "networks",
    "operator_ranks",
    "operator_records",
    "optimism",
    "optimism_of",
    "paired",
    "paired_fidelity",
    "pareto_front",
    "parse_where",
    "protocols",
    "proxy_worth",
    "ranks",
    "seconds_left",
    "spreads",
    "state_counts",
    "state_words",
    "study_course",
    "study_effects",
    "study_fidelity",
    "study_importance",
    "study_objectives",
    "study_pace",
    "table_effects",
    "table_format",
    "table_importance",
    "trained_results",
    "trained_results_of_study",
    "training_seconds",
    "trial_summaries",
    "trial_table",
    "trials_by_operators",
    "trials_of_kind",
    "wilson_interval",
]
