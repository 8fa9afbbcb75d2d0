"""Optuna through ask and tell; conditional parameters are asked for by conditions."""

import warnings
from collections.abc import Callable

import optuna
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler
from optuna.trial import TrialState as OptunaState

from benchmarks.replay.method import Method
from benchmarks.replay.peers.parameters import parameters_of
from benchmarks.table.read import TabularBenchmark
from search.searchers import Exhausted
from search.trial_states import TrialState

MOST_TRIES = 1000


class OptunaPeer(Method):
    """A study in memory.

    A combination that the table lacks is told as failed and costs nothing.

    Args:
        benchmark: the table.
        sampler, pruner: Optuna's.
        with_macs: minimise MACs too.
        conditional: ask for the kernel size only where an operator has several; else always,
            without meaning for the others.
    """

    def __init__(
        self,
        benchmark: TabularBenchmark,
        sampler: BaseSampler,
        pruner: BasePruner | None = None,
        *,
        with_macs: bool = False,
        conditional: bool = True,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._parameters = parameters_of(benchmark)
        self._known = benchmark.known
        self._with_macs = with_macs
        self._conditional = conditional
        self._study = optuna.create_study(
            directions=["maximize", "minimize"] if with_macs else ["maximize"],
            sampler=sampler,
            pruner=pruner or NopPruner(),
        )
        self._running: dict[int, tuple[optuna.Trial, str]] = {}

    def start(self, trial: int) -> str:
        """The first proposal that the table has."""
        for _ in range(MOST_TRIES):
            asked = self._study.ask()
            name = self._suggest(asked)
            if name is not None:
                self._running[trial] = asked, name
                return name
            self._study.tell(asked, state=OptunaState.FAIL)
        raise Exhausted(f"{MOST_TRIES} proposals in a row are not in the table")

    def _suggest(self, trial: optuna.Trial) -> str | None:
        parameters = self._parameters
        operator = trial.suggest_categorical("operator", parameters.operators)
        sizes = parameters.kernel_sizes.get(operator)
        if not self._conditional:
            sizes = sorted({size for each in parameters.kernel_sizes.values() for size in each})
        return parameters.find(
            trial.suggest_categorical("block_type", parameters.block_types),
            trial.suggest_categorical("depth", parameters.depths),
            trial.suggest_categorical("mlp_ratio", parameters.mlp_ratios),
            operator,
            trial.suggest_categorical("kernel_size", sizes) if sizes else None,
        )

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Report, and ask the pruner; Optuna prunes single-objective studies only."""
        asked, _ = self._running[trial]
        if self._with_macs:
            return False
        asked.report(accuracy, epoch)
        return asked.should_prune()

    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        """Tell the end."""
        asked, name = self._running.pop(trial)
        if state == TrialState.PRUNED or accuracy is None:
            told = OptunaState.PRUNED if state == TrialState.PRUNED else OptunaState.FAIL
            self._study.tell(asked, state=told)
            return
        macs = [self._known[name]["macs"]] if self._with_macs else []
        self._study.tell(asked, [accuracy, *macs])


SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "NSGA-II": lambda seed: optuna.samplers.NSGAIISampler(seed=seed),
    "GP": lambda seed: optuna.samplers.GPSampler(seed=seed),
}


def make(
    benchmark: TabularBenchmark, seed: int, sampler: str, *, halving: bool, with_macs: bool
) -> OptunaPeer:
    """A study with a sampler of that name, with or without successive halving."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        pruner = SuccessiveHalvingPruner(min_resource=1, reduction_factor=3) if halving else None
        return OptunaPeer(
            benchmark,
            SAMPLERS[sampler](seed),
            pruner,
            with_macs=with_macs,
            conditional=sampler != "GP",  # Optuna's GP would draw a conditional one at random
        )
