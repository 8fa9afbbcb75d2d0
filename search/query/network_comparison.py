"""Two to six networks side by side: what differs, what each costs and reached, and by how much."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from search.query.best_row import BestRow
from search.query.leaderboard import best_by_protocol
from search.query.protocols import StudiesOfProtocol, protocols_of
from search.query.repeats import Spread, spreads, t_quantile
from search.query.where import Where, matching
from search.store.models import TrialRow
from search.store.store import Store
from space.architecture import Architecture, Stage
from space.cost import cost
from space.errors import InputError
from space.wording import NONE

FEWEST, MOST = 2, 6


@dataclass(frozen=True, slots=True)
class ComparedNetwork:
    """A network, and what it reached by the protocol of the comparison.

    Attributes:
        id: of the architecture; operators: its distinct mixer names, joined by " + ".
        params, macs: counted from the architecture, for one image.
        row: as of `best`; None where it has no result by that protocol.
    """

    id: str
    architecture: Architecture
    operators: str
    params: int
    macs: int
    row: BestRow | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A part in which networks are not all alike, such as "stage 2 width", and what each has."""

    part: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairTest:
    """How the accuracies of two complete networks compare.

    Attributes:
        first, second: ids of the architectures.
        difference: accuracy of the first less that of the second.
        margin: half of its 95 % interval, which holds for all pairs of the comparison at once
            (Bonferroni); None where nothing is known of the spread over seeds.
    """

    first: str
    second: str
    difference: float
    margin: float | None

    @property
    def verdict(self) -> str:
        """In words."""
        if self.margin is None:
            return "cannot tell: among these results no network was trained with several seeds"
        if abs(self.difference) <= self.margin:
            return "a tie: seeds alone make as much"
        return f"{self.first if self.difference > 0 else self.second} is better"


@dataclass(frozen=True, slots=True)
class NetworkComparison:
    """What `compare_networks` finds.

    Attributes:
        networks: in the order in which they were named.
        differences: part by part, from image to logits.
        tests: of every two that were trained to the end.
        protocol: by which the results came about; None where no network has one.
        others: further protocols by which some of them have results, which are not in here.
    """

    networks: tuple[ComparedNetwork, ...]
    differences: tuple[Difference, ...]
    tests: tuple[PairTest, ...]
    protocol: StudiesOfProtocol | None
    others: tuple[StudiesOfProtocol, ...]


def compare_networks(
    store: Store,
    ids: Sequence[str],
    *,
    where: Where | str | None = None,
    study: str | None = None,
) -> NetworkComparison:
    """Two to six networks side by side, with their results by one protocol.

    Where the filter leaves results of several, it is the protocol by which the most of them have
    a complete one, else the most have any, of these that of the newest study.

    Args:
        store: where they are.
        ids: of architectures, or the beginnings of ids.
        where, study: as of `best`.

    Raises:
        InputError: fewer than two or more than six, an id that none or several have or that is
            named twice, a malformed clause, or an unknown study.
    """
    if not FEWEST <= len(ids) <= MOST:
        message = f"{len(ids)} given; from {FEWEST} to {MOST} networks are compared"
        raise InputError.of("architectures", message)
    records = [store.architectures.get(id_) for id_ in ids]
    found = [record.id for record in records]
    if twice := sorted({id_ for id_ in found if found.count(id_) > 1}):
        raise InputError.of("architectures", f"{', '.join(twice)} is named twice")
    protocols = _protocols(store, found, where, study)
    protocol, rows = protocols[0] if protocols else (None, {})
    architectures = [Architecture.from_json(record.json) for record in records]
    costs = [cost(architecture) for architecture in architectures]
    networks = tuple(
        ComparedNetwork(r.id, a, r.operators, c.params, c.macs, rows.get(r.id))
        for r, a, c in zip(records, architectures, costs, strict=True)
    )
    spread = {} if protocol is None else spreads(store, study)
    return NetworkComparison(
        networks,
        tuple(_differences(architectures)),
        _tests(networks, spread.get(protocol.hash) if protocol else None),
        protocol,
        tuple(other for other, _ in protocols[1:]),
    )


def _protocols(
    store: Store, ids: Sequence[str], where: Where | str | None, study: str | None
) -> list[tuple[StudiesOfProtocol, dict[str, BestRow]]]:
    """The protocols of the networks' results with the row of each network, the fittest first."""
    rows: dict[str, dict[str, BestRow]] = defaultdict(dict)
    for id_ in ids:
        for each in best_by_protocol(store, where=where, study=study, architecture=id_):
            rows[each.protocol.hash] |= {row.architecture_id: row for row in each.rows}
    conditions = matching(where, study, store.runs.stale())
    named = protocols_of(store, [*conditions, TrialRow.architecture_id.in_(ids)])
    found = [(each, rows[each.hash]) for each in named if each.hash in rows]
    return sorted(found, key=lambda group: _fitness(group[1].values()), reverse=True)


def _fitness(rows: Collection[BestRow]) -> tuple[int, int]:
    return sum(row.is_complete for row in rows), len(rows)


def _tests(networks: Sequence[ComparedNetwork], spread: Spread | None) -> tuple[PairTest, ...]:
    rows = [each.row for each in networks if each.row is not None]
    whole = [(r, r.accuracy) for r in rows if r.is_complete and r.accuracy is not None]
    pairs = list(itertools.combinations(whole, 2))
    return tuple(
        PairTest(
            one.architecture_id,
            other.architecture_id,
            high - low,
            None if spread is None else _margin(spread, one, other, len(pairs)),
        )
        for (one, high), (other, low) in pairs
    )


def _margin(spread: Spread, one: BestRow, other: BestRow, pairs: int) -> float:
    quantile = t_quantile(spread.freedom, 1 - 0.025 / pairs)
    return quantile * spread.error(one.repeats, other.repeats)


# --- what differs ------------------------------------------------------------------------------


def _differences(architectures: Sequence[Architecture]) -> Iterable[Difference]:
    deepest = max(len(each.stages) for each in architectures)
    parts = [_parts(each, deepest) for each in architectures]
    for part in parts[0]:
        values = tuple(of[part] for of in parts)
        if len(set(values)) > 1:
            yield Difference(part, values)


def _parts(architecture: Architecture, deepest: int) -> dict[str, str]:
    """Every part in words, with those of stages that it lacks."""
    image, scale = architecture.input, architecture.layer_scale
    found = {
        "input": f"{image.channels}×{image.height}×{image.width}",
        "stem": architecture.stem.label,
        "block type": architecture.block_type,
        "downsampling": architecture.downsample,
        "layer scale": f"{scale:g}" if architecture.block_type == "convnext" else NONE,
        "classes": str(architecture.head.classes),
        "norm of the head": f"{architecture.head.norm} the mean",
    }
    for index in range(deepest):
        stage = architecture.stages[index] if index < len(architecture.stages) else None
        found |= {f"stage {index + 1} {name}": words for name, words in _of_stage(stage).items()}
    return found


def _of_stage(stage: Stage | None) -> dict[str, str]:
    if stage is None:
        return dict.fromkeys(("width", "depth", "MLP ratio", "mixers"), NONE)
    return {
        "width": str(stage.width),
        "depth": str(stage.depth),
        "MLP ratio": f"{stage.mlp_ratio:g}",
        "mixers": _runs([mixer.label for mixer in stage.block_mixers()]),
    }


def _runs(labels: Sequence[str]) -> str:
    """Such as "2 × ViT, Conv. 3×3": block by block, equal ones in a row together."""
    runs = [(label, len(list(same))) for label, same in itertools.groupby(labels)]
    return ", ".join(label if often == 1 else f"{often} × {label}" for label, often in runs)
