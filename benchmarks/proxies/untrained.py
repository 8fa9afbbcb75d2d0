"""Zero-cost scores of a table's architectures, each as it was before its first training."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from benchmarks.proxies.zero_cost import SCORES, Batch, score
from benchmarks.table.read import TabularBenchmark
from space import Architecture
from space.networks import Network
from trainers import DataConfig, Protocol, open_data
from trainers.initial_weights import random_network
from trainers.seeds import seeded

_BATCHES = 4


@dataclass(frozen=True)
class Scored:
    """One architecture.

    Attributes:
        architecture_id: its id.
        values: by the name of the score; NaN where it is not finite.
        seconds: of CPU time by the name of the score.
    """

    architecture_id: str
    values: dict[str, float]
    seconds: dict[str, float]


def embedded_batches() -> list[Batch]:
    """The first batches of the images that come with the project, as training has them."""
    data = open_data(DataConfig(), Protocol())
    return list(islice(data.train_batches(epoch=1, seed=0), _BATCHES))


def score_all(
    benchmark: TabularBenchmark,
    ids: Sequence[str],
    batches: list[Batch],
    advance: Callable[[], object] = lambda: None,
) -> list[Scored]:
    """The scores of some architectures, with the first weights of their first training.

    Args:
        benchmark: with them. ids: of them.
        batches: two or more.
        advance: is called after each.
    """
    protocol = Protocol.from_stored(benchmark.metadata["protocol"])
    found = []
    for id_ in ids:
        seed = min(benchmark.trainings(id_))
        network = first_network(benchmark.architectures[id_], protocol, seed)
        found.append(_scored(id_, network, batches))
        advance()
    return found


def first_network(architecture: Architecture, protocol: Protocol, seed: int) -> Network:
    """As it was before its first step under a study seed."""
    with seeded(protocol.seeds(seed, architecture.id).initialisation):
        network = random_network(architecture, protocol)
    assert isinstance(network, Network)
    return network


def _scored(id_: str, network: Network, batches: list[Batch]) -> Scored:
    values, seconds = {}, {}
    for name in SCORES:
        begun = time.process_time()
        values[name] = score(name, network, batches)
        seconds[name] = time.process_time() - begun
    return Scored(id_, values, seconds)
