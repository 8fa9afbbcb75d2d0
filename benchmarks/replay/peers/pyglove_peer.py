"""PyGlove's regularised evolution, through pg.sample; several examples are open at a time."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import pyglove

from benchmarks.replay.method import Method
from benchmarks.replay.peers.parameters import parameters_of
from benchmarks.table.read import TabularBenchmark
from search.searchers import Exhausted
from search.trial_states import TrialState

MOST_TRIES = 1000


class PygloveEvolution(Method):
    """Regularised evolution over a symbolic space; what the table lacks is skipped.

    Args:
        benchmark: the table.
        seed: of parents and mutations.
        population_size, tournament_size: PyGlove's own defaults.
    """

    def __init__(
        self,
        benchmark: TabularBenchmark,
        seed: int,
        population_size: int = 100,
        tournament_size: int = 10,
    ) -> None:
        self._parameters = parameters_of(benchmark)
        algorithm = pyglove.evolution.regularized_evolution(
            mutator=pyglove.evolution.mutators.Uniform(seed=seed),
            population_size=population_size,
            tournament_size=tournament_size,
            seed=seed,
        )
        self._sample = partial(pyglove.sample, self._space(), algorithm, name=f"replay-{id(self)}")
        self._workers: list[Iterator[tuple[Any, Any]]] = []
        self._idle: list[int] = []
        self._running: dict[int, tuple[int, Any]] = {}

    def _worker(self) -> int:
        """An idle worker. Each has a group: in one, an example comes until it has its reward."""
        if not self._idle:
            self._workers.append(self._sample(group=len(self._workers)))
            self._idle.append(len(self._workers) - 1)
        return self._idle.pop()

    def _space(self) -> Any:
        def operator(name: str) -> Any:
            sizes = self._parameters.kernel_sizes.get(name)
            kernel = pyglove.oneof(sizes) if sizes else None
            return pyglove.Dict(name=name, kernel_size=kernel)

        return pyglove.Dict(
            block_type=pyglove.oneof(self._parameters.block_types),
            depth=pyglove.oneof(self._parameters.depths),
            mlp_ratio=pyglove.oneof(self._parameters.mlp_ratios),
            operator=pyglove.oneof([operator(name) for name in self._parameters.operators]),
        )

    def start(self, trial: int) -> str:
        """The first example that the table has."""
        worker = self._worker()
        for example, feedback in islice(self._workers[worker], MOST_TRIES):
            found = self._parameters.find(
                example.block_type,
                example.depth,
                example.mlp_ratio,
                example.operator.name,
                example.operator.kernel_size,
            )
            if found is not None:
                self._running[trial] = worker, feedback
                return found
            feedback.skip()
        raise Exhausted(f"{MOST_TRIES} examples in a row are not in the table")

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """It has one fidelity."""
        return False

    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        """Give the reward."""
        worker, feedback = self._running.pop(trial)
        self._idle.append(worker)
        if accuracy is None:
            feedback.skip()
        else:
            feedback(accuracy)
