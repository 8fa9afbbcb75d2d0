"""Syne Tune's schedulers, driven as its Tuner drives them."""

import datetime
from typing import Any

from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice
from syne_tune.optimizer import baselines
from syne_tune.optimizer.scheduler import SchedulerDecision

from benchmarks.replay.method import Method
from benchmarks.replay.peers.parameters import parameters_of
from benchmarks.table.read import TabularBenchmark
from search.searchers import Exhausted
from search.trial_states import TrialState

MOST_TRIES = 1000
EPOCH, ACCURACY = "epoch", "accuracy"


class SyneTunePeer(Method):
    """A scheduler by its name in syne_tune.optimizer.baselines.

    Its spaces know no conditions: the kernel size is always chosen, and has no meaning for an
    operator of one size. What the table lacks is told as an error.

    Args:
        benchmark: the table.
        seed: of the scheduler.
        name: such as "REA" or "ASHA".
        with_epochs: whether it stops trials early.
    """

    def __init__(
        self, benchmark: TabularBenchmark, seed: int, name: str, *, with_epochs: bool
    ) -> None:
        self._parameters = parameters_of(benchmark)
        sizes = sorted({size for each in self._parameters.kernel_sizes.values() for size in each})
        space = {
            "block_type": choice(self._parameters.block_types),
            "depth": choice(self._parameters.depths),
            "mlp_ratio": choice(self._parameters.mlp_ratios),
            "operator": choice(self._parameters.operators),
            **({"kernel_size": choice(sizes)} if sizes else {}),
        }
        epochs: dict[str, Any] = {"time_attr": EPOCH, "max_t": benchmark.epochs}
        self._scheduler = getattr(baselines, name)(
            space,
            metric=ACCURACY,
            do_minimize=False,
            random_seed=seed,
            **(epochs if with_epochs else {}),
        )
        self._epochs = benchmark.epochs
        self._count = 0
        self._running: dict[int, Trial] = {}

    def start(self, trial: int) -> str:
        """The first suggestion that the table has."""
        for _ in range(MOST_TRIES):
            suggestion = self._scheduler.suggest()
            if suggestion is None:
                break
            config = suggestion.config
            asked = Trial(self._count, config, datetime.datetime.now())
            self._count += 1
            self._scheduler.on_trial_add(asked)
            name = self._parameters.find(**{"kernel_size": None, **config})
            if name is not None:
                self._running[trial] = asked
                return name
            self._scheduler.on_trial_error(asked)
        raise Exhausted("the scheduler has no suggestion that the table has")

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Report, and hear the decision."""
        result = {EPOCH: epoch, ACCURACY: accuracy}
        asked = self._running[trial]
        decision = self._scheduler.on_trial_result(asked, result)
        return bool(decision != SchedulerDecision.CONTINUE)

    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        """Tell the end."""
        asked = self._running.pop(trial)
        if state == TrialState.COMPLETE and accuracy is not None:
            result = {EPOCH: self._epochs, ACCURACY: accuracy}
            self._scheduler.on_trial_complete(asked, result)
        elif state == TrialState.FAILED:
            self._scheduler.on_trial_error(asked)
        else:
            self._scheduler.on_trial_remove(asked)
