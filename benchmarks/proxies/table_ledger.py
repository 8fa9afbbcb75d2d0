"""The table's trainings as full results, and as proxies of themselves and of longer ones."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from benchmarks.table.read import TabularBenchmark, Training
from search.fidelity import FullResults, Proxy
from search.fidelity.pairs import Floats
from search.metrics import MEMORY_METRICS, analytic_metrics
from space import Architecture
from space.wording import count

Ids = Sequence[str]


def finished(benchmark: TabularBenchmark) -> list[str]:
    """Ids of the architectures whose first training went to its end, in the table's order."""
    return [id_ for id_ in benchmark.architectures if _first(benchmark, id_).failure is None]


def fair_sample(ids: Iterable[str], number: int) -> list[str]:
    """So many of them, in the order of a hash, so that every beginning is a fair sample."""
    return sorted(ids, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest())[:number]


def _first(benchmark: TabularBenchmark, id_: str) -> Training:
    trainings = benchmark.trainings(id_)
    return trainings[min(trainings)]


def _second(benchmark: TabularBenchmark, id_: str) -> float:
    """The accuracy of another seed; NaN where there is none that went to its end."""
    trainings = benchmark.trainings(id_)
    others = [trainings[seed] for seed in sorted(trainings)[1:]]
    return next((each.accuracy for each in others if each.failure is None), float("nan"))


def full_results(benchmark: TabularBenchmark, ids: Ids) -> FullResults:
    """Of the first seed of each, with the second beside it."""
    return FullResults(
        accuracy=np.array([_first(benchmark, id_).accuracy for id_ in ids]),
        families=[family(benchmark.architectures[id_]) for id_ in ids],
        params=np.array([benchmark.known[id_]["params"] for id_ in ids]),
        macs=np.array([benchmark.known[id_]["macs"] for id_ in ids]),
        again=np.array([_second(benchmark, id_) for id_ in ids]),
    )


def family(architecture: Architecture) -> str:
    """The localities and dynamics of its mixers, as `search fidelity` has it."""
    mixers = (mixer for stage in architecture.stages for mixer in stage.mixers)
    return " + ".join(sorted({f"{mixer.locality} {mixer.dynamics}" for mixer in mixers}))


def of_epochs(
    benchmark: TabularBenchmark, ids: Ids, longer: TabularBenchmark | None = None
) -> list[Proxy]:
    """Accuracy and training loss after every epoch before the last, of the first seed.

    Args:
        benchmark: with the trainings. ids: of architectures that finished.
        longer: the trainings that they are proxies of, if others; then the last epoch is one too.
    """
    firsts = [_first(benchmark, id_) for id_ in ids]
    full = [_first(longer or benchmark, id_) for id_ in ids]
    shares = [np.cumsum(t.seconds) / sum(f.seconds) for t, f in zip(firsts, full, strict=True)]
    costs = np.median(shares, axis=0)
    found = []
    for epoch in range(1, benchmark.epochs + (longer is not None)):
        after, cost = f"after {count(epoch, 'epoch')}", float(costs[epoch - 1])
        accuracies = np.array([t.judged(t.validation_accuracy[:epoch]) for t in firsts])
        losses = np.array([t.train_loss[epoch - 1] for t in firsts])
        found += [
            Proxy(f"accuracy {after}", accuracies, cost),
            Proxy(f"train loss {after}", losses, cost, lower_is_better=True),
        ]
    return found


def of_networks(benchmark: TabularBenchmark, ids: Ids) -> list[Proxy]:
    """Memory for an image, and the pace of training."""
    known = analytic_metrics(MEMORY_METRICS)
    values = [known(benchmark.architectures[id_]) for id_ in ids]
    seconds = np.array([_first(benchmark, id_).seconds[0] for id_ in ids])
    memory = (Proxy(name, np.array([v[name] for v in values]), 0.0) for name in MEMORY_METRICS)
    return [*memory, Proxy("seconds of the first epoch", seconds)]


def of_some(
    benchmark: TabularBenchmark,
    ids: Ids,
    name: str,
    values: Mapping[str, float],
    seconds: Mapping[str, float],
) -> Proxy:
    """What was measured of some of the architectures.

    Args:
        benchmark: with the trainings. ids: of all architectures.
        name: of the proxy.
        values, seconds: by id.
    """
    shares = [seconds[id_] / benchmark.seconds(id_) for id_ in seconds]
    return Proxy(name, _column(ids, values.get), float(np.median(shares)))


def _column(ids: Ids, value: Callable[[str], float | None]) -> Floats:
    found = (value(id_) for id_ in ids)
    return np.array([np.nan if each is None else each for each in found], dtype=float)


def survivors(benchmark: TabularBenchmark, ids: Ids, factor: int = 3) -> list[str]:
    """Who is left when at each rung of successive halving one of `factor` goes on."""
    left, rung = list(ids), 1
    while rung < benchmark.epochs:
        left.sort(key=lambda id_: -_first(benchmark, id_).validation_accuracy[rung - 1])
        left = left[: max(1, len(left) // factor)]
        rung *= factor
    return left
