"""Every way to search that is compared: ours by searcher and scheduler, and the peers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from typing import Any

from benchmarks.replay.method import Method
from benchmarks.replay.ours import OwnMethod
from benchmarks.replay.record import Aim
from benchmarks.replay.space import TableSpace
from benchmarks.table.read import TabularBenchmark
from search.objectives import ACCURACY, Objective, Objectives
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS, Task
from space.errors import InputError

OBJECTIVES: dict[Aim, Objectives] = {
    "accuracy": ACCURACY,
    "front": Objectives((Objective("validation_accuracy"), Objective("macs", "minimise"))),
}
PEERS = "benchmarks.replay.peers"
BASELINE = "random"


@dataclass(frozen=True)
class Entry:
    """A way to search.

    Attributes:
        name: unique within an aim. aim: what it searches for.
        make: from the table and a seed.
        needs: the modules without which it cannot run.
        slow: whether a proposal takes it a good part of a second.
    """

    name: str
    aim: Aim
    make: Callable[[TabularBenchmark, int], Method]
    needs: tuple[str, ...] = ()
    slow: bool = False

    def problem(self, benchmark: TabularBenchmark) -> str | None:
        """Why it cannot run here, such as a searcher of one objective asked for a front."""
        missing = [module for module in self.needs if find_spec(module) is None]
        if missing:
            return f"not installed: {', '.join(missing)}"
        try:
            self.make(benchmark, 0)
        except InputError as error:
            return str(error)
        except ImportError as error:
            if not self.needs:
                raise
            return f"not whole: {error}"  # something that a peer in turn needs
        return None


@cache
def entries() -> tuple[Entry, ...]:
    """All of them, ours first."""
    return (*_ours("accuracy"), *_ours("front"), *_peers())


def _ours(aim: Aim) -> list[Entry]:
    """Every pair; for one objective "moasha" is "asha" under another name, and left out."""
    schedulers = [each for each in SCHEDULERS.built_in if (each, aim) != ("moasha", "accuracy")]
    return [
        Entry(_name(searcher, each), aim, partial(_own, aim, searcher, each), slow=searcher == "gp")
        for searcher, each in product(SEARCHERS.built_in, schedulers)
    ]


def _name(searcher: str, scheduler: str) -> str:
    return searcher if scheduler == "none" else f"{searcher} + {scheduler}"


def _own(aim: Aim, searcher: str, scheduler: str, benchmark: TabularBenchmark, seed: int) -> Method:
    task = Task(
        TableSpace(benchmark),
        OBJECTIVES[aim],
        known=lambda architecture: benchmark.known[architecture.id],
        fidelities=benchmark.epochs,
    )
    return OwnMethod(task, searcher, scheduler, seed, benchmark.judged_by)


def _peers() -> list[Entry]:
    pyglove = _peer("pyglove_peer:PygloveEvolution")
    return [
        Entry("Optuna TPE", "accuracy", _optuna("TPE")),
        Entry("Optuna TPE + halving", "accuracy", _optuna("TPE", halving=True)),
        Entry("Optuna NSGA-II", "accuracy", _optuna("NSGA-II")),
        Entry("Optuna GP", "accuracy", _optuna("GP"), ("scipy",), slow=True),
        Entry("Optuna TPE", "front", _optuna("TPE", with_macs=True)),
        Entry("Optuna NSGA-II", "front", _optuna("NSGA-II", with_macs=True)),
        Entry("Optuna GP", "front", _optuna("GP", with_macs=True), ("scipy",), slow=True),
        Entry("PyGlove evolution", "accuracy", pyglove, ("pyglove",)),
        _syne_tune("REA"),
        _syne_tune("ASHA", with_epochs=True),
        _syne_tune("ASHABORE", "xgboost", with_epochs=True, slow=True),
        _syne_tune("ASHACQR", "xgboost", with_epochs=True, slow=True),
    ]


def _syne_tune(name: str, *needs: str, with_epochs: bool = False, slow: bool = False) -> Entry:
    make = _peer("syne_tune_peer:SyneTunePeer", name=name, with_epochs=with_epochs)
    return Entry(f"Syne Tune {name}", "accuracy", make, ("syne_tune", *needs), slow)


def _optuna(
    sampler: str, *, halving: bool = False, with_macs: bool = False
) -> Callable[[TabularBenchmark, int], Method]:
    return _peer("optuna_peer:make", sampler=sampler, halving=halving, with_macs=with_macs)


def _peer(place: str, **options: Any) -> Callable[[TabularBenchmark, int], Method]:
    """A maker that imports the peer only when it is needed."""

    def make(benchmark: TabularBenchmark, seed: int) -> Method:
        module, _, name = place.partition(":")
        method: Method = getattr(import_module(f"{PEERS}.{module}"), name)(
            benchmark, seed, **options
        )
        return method

    return make
