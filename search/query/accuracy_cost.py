"""Accuracy against a cost: the whole front, the paper's operators, and of many others a part.

Every point is a completely trained network of one protocol. The database finds the front, counts
the rest in cells and draws a sample, so that no more is read than is shown.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import (
    CTE,
    BigInteger,
    Connection,
    Double,
    Integer,
    Select,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)

from search.query.best_row import BestRow
from search.query.best_statement import Asked
from search.query.cells import logarithm, whole
from search.query.protocols import refuse_mixed
from search.query.study_fronts import Cost, checked_cost, pareto_front
from search.query.where import Where
from search.store.models import ArchitectureRow
from search.store.store import Store
from space.relation_graph import NODES

POINTS = 1000
"""How many networks are shown, beside the front and the named ones; of more a sample is."""
COLUMNS, ROWS = 48, 32
"""Cells across, of equal width on a logarithmic axis, and up."""

_FACTOR, _PRIME = 40_503, 65_521


@dataclass(frozen=True, slots=True)
class Density:
    """How many networks are in each cell of a grid.

    Attributes:
        costs: the least and the highest cost; COLUMNS cells of equal ratio lie between.
        accuracies: likewise, 0 to 1; ROWS cells of equal height.
        counts: of networks by column and row, from 0; only of cells that have some.
    """

    costs: tuple[float, float]
    accuracies: tuple[float, float]
    counts: dict[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class AccuracyCost:
    """The completely trained networks of a filter, as points of accuracy against a cost.

    Attributes:
        front: the Pareto front, whole, in order of rising cost.
        named: the most accurate network made of one of the paper's operators alone, of each that
            has one, the cheapest of equals, the best first.
        others: the rest, or a part of it: of more than POINTS networks so many, drawn over all.
        density: of all of them; None where every one is shown.
        total: how many networks have an accuracy.
        without: how many have none that compares: what was stopped early does not.
    """

    front: list[BestRow]
    named: list[BestRow]
    others: list[BestRow]
    density: Density | None
    total: int
    without: int

    @classmethod
    def of(cls, rows: Sequence[BestRow], cost: Cost, points: int = POINTS) -> Self:
        """The same of rows that `best` gave.

        Raises:
            InputError: rows of several protocols, or an unknown cost.
        """
        known = [row for row in rows if row.accuracy is not None and row.is_complete]
        refuse_mixed(known)
        density = _density(known, cost) if len(known) > points else None
        sample = sorted(known, key=_turn)[:points]
        return cls._made(known, sample, cost, density, len(known), len(rows) - len(known))

    @classmethod
    def _made(
        cls,
        candidates: Iterable[BestRow],
        sample: Iterable[BestRow],
        cost: Cost,
        density: Density | None,
        total: int,
        without: int,
    ) -> Self:
        """Args: candidates: all that may be on the front, or the best of an operator."""
        candidates = list(candidates)
        front, named = pareto_front(candidates, cost), _named(candidates)
        special = {row.trial_id for row in (*front, *named)}
        others = [row for row in sample if row.trial_id not in special]
        return cls(front, named, others, density, total, without)

    @property
    def shown(self) -> list[BestRow]:
        """Every row that is shown; front and named rows may repeat."""
        return [*self.others, *self.named, *self.front]

    @property
    def points(self) -> int:
        """How many networks are shown."""
        return len({row.trial_id for row in self.shown})


def accuracy_cost(
    store: Store,
    cost: Cost = "params",
    *,
    where: Where | str | None = None,
    study: str | None = None,
    points: int = POINTS,
) -> AccuracyCost:
    """The networks of a filter against a cost: what `best` and `pareto_front` say, but thinned.

    Args:
        store: where to look.
        cost: params or macs.
        where, study: as those of `best`.
        points: beyond so many networks a sample of so many is shown, and the density.

    Raises:
        InputError: as `best` does, or an unknown cost.
    """
    column = getattr(ArchitectureRow, checked_cost(cost))
    asked = Asked.of(store, where, study, None, "-accuracy", None).of_one_protocol(store)
    alone = case((ArchitectureRow.operators.in_(list(NODES)), ArchitectureRow.operators))
    statement = _statement(asked.places(column, alone.label("alone")).cte("places"), points)

    def read(connection: Connection) -> tuple[_Answer, list[BestRow]]:
        answer = _Answer.of(connection.execute(statement).all())
        ids = answer.candidates | answer.sample
        return answer, asked.read_trials(connection, ids) if ids else []

    answer, found = store.read(read)
    rows = asked.with_spreads(store, found)
    return AccuracyCost._made(
        [row for row in rows if row.trial_id in answer.candidates],
        sorted((row for row in rows if row.trial_id in answer.sample), key=_turn),
        cost,
        answer.density if answer.total > points else None,
        answer.total,
        answer.without,
    )


# --- in Python -----------------------------------------------------------------------------------


def _turn(row: BestRow) -> tuple[int, int]:
    """Where its trial stands in the order in which samples are drawn.

    Multiplied modulo a prime, numbers of trials come in an order that has nothing to do with how
    they were made, and stays as more are added.
    """
    return row.trial_id * _FACTOR % _PRIME, row.trial_id


def _named(rows: Iterable[BestRow]) -> list[BestRow]:
    pairs = [(row.accuracy, row) for row in rows if row.accuracy is not None]
    ordered = sorted(pairs, key=lambda pair: (-pair[0], pair[1].params, pair[1].architecture_id))
    found: dict[str, BestRow] = {}
    for _, row in ordered:
        if row.operators in NODES:
            found.setdefault(row.operators, row)
    return list(found.values())


def _density(rows: Sequence[BestRow], cost: Cost) -> Density:
    places = [(float(getattr(row, cost)), row.accuracy or 0.0) for row in rows]
    costs, heights = [place[0] for place in places], [place[1] for place in places]
    across, up = (min(costs), max(costs)), (min(heights), max(heights))
    logs = [math.log(max(price, 1.0)) for price in costs]
    counts = Counter(zip(_cells(logs, COLUMNS), _cells(heights, ROWS), strict=True))
    return Density(across, up, dict(counts))


def _cells(values: Sequence[float], cells: int) -> list[int]:
    low, high = min(values), max(values)
    if high == low:
        return [0] * len(values)
    return [_clipped((value - low) * (cells / (high - low)), cells) for value in values]


def _clipped(place: float, cells: int) -> int:
    """The highest value belongs to the last cell."""
    return min(cells - 1, math.floor(place))


# --- in the database -----------------------------------------------------------------------------

_TOTAL, _LOW, _HIGH, _CELL, _CANDIDATE, _SAMPLE = range(6)


@dataclass(frozen=True, slots=True)
class _Answer:
    total: int
    without: int
    density: Density
    candidates: set[int]
    sample: set[int]

    @classmethod
    def of(cls, rows: Iterable[Any]) -> Self:
        kinds: dict[int, list[Any]] = {kind: [] for kind in range(6)}
        for row in rows:
            kinds[row.kind].append(row)
        ((every,), (low,), (high,)) = kinds[_TOTAL], kinds[_LOW], kinds[_HIGH]
        counts: Counter[tuple[int, int]] = Counter()
        for row in kinds[_CELL]:
            counts[_clipped(row.x, COLUMNS), _clipped(row.y, ROWS)] += row.number
        ends = ((low.x or 0.0, high.x or 0.0), (low.y or 0.0, high.y or 0.0))
        density = Density(*ends, dict(counts))
        ids = ({row.number for row in kinds[kind]} for kind in (_CANDIDATE, _SAMPLE))
        return cls(low.number, every.number - low.number, density, *ids)


def _statement(places: CTE, points: int) -> Any:
    """All that is asked of the places in one statement, so that they are worked out once.

    Its rows are of a kind: counts with the lower and the upper ends of costs and accuracies, cells
    with their counts, ids of trials.
    """
    known = select(places).where(places.c.height.is_not(None)).cte("known")
    least, most = func.min(known.c.cost), func.max(known.c.cost)
    low, high = func.min(known.c.height), func.max(known.c.height)
    ends = select(
        func.count().label("total"),
        *(least.label("least"), most.label("most"), low.label("low"), high.label("high")),
        (COLUMNS / func.nullif(logarithm(most) - logarithm(least), 0)).label("columns"),
        (ROWS / func.nullif(high - low, 0)).label("rows"),
        logarithm(least).label("log_least"),
    ).cte("ends")
    column = whole((logarithm(known.c.cost) - ends.c.log_least) * ends.c.columns)
    row = whole((known.c.height - ends.c.low) * ends.c.rows)
    cells = select(column.label("x"), row.label("y")).select_from(known).join(ends, true())
    seen = cells.subquery()
    counted = _rows(_CELL, func.count(), seen.c.x, seen.c.y).group_by(seen.c.x, seen.c.y)
    ids = [(_CANDIDATE, each) for each in (_may_be_on_the_front(known), _of_one_operator(known))]
    ids.append((_SAMPLE, _drawn(known, points)))
    return union_all(
        _rows(_TOTAL, select(func.count()).select_from(places).scalar_subquery()),
        _rows(_LOW, ends.c.total, ends.c.least, ends.c.low),
        _rows(_HIGH, ends.c.total, ends.c.most, ends.c.high),
        counted,
        *(_rows(kind, each.c.id) for kind, each in ids),
    )


def _rows(kind: int, number: Any, x: Any = None, y: Any = None) -> Select[Any]:
    return select(
        literal(kind, Integer).label("kind"),
        cast(number, BigInteger).label("number"),
        cast(null() if x is None else x, Double).label("x"),
        cast(null() if y is None else y, Double).label("y"),
    )


def _may_be_on_the_front(known: CTE) -> Any:
    """Places than which none is as accurate and cheaper; few, and all of the front among them."""
    cheapest = func.min(known.c.cost).over(order_by=known.c.height.desc())
    highest = func.max(known.c.height).over(partition_by=known.c.cost)
    columns = known.c.id, known.c.cost, known.c.height
    seen = select(*columns, cheapest.label("cheapest"), highest.label("highest")).subquery()
    on_it = (seen.c.cost == seen.c.cheapest) & (seen.c.height == seen.c.highest)
    return select(seen.c.id).where(on_it).subquery()


def _of_one_operator(known: CTE) -> Any:
    """The most accurate of each of the paper's operators alone, with its equals."""
    place = func.rank().over(partition_by=known.c.alone, order_by=known.c.height.desc())
    alone = select(known.c.id, place.label("place")).where(known.c.alone.is_not(None)).subquery()
    return select(alone.c.id).where(alone.c.place == 1).subquery()


def _drawn(known: CTE, points: int) -> Any:
    turn = (cast(known.c.id, BigInteger) * _FACTOR) % _PRIME  # as `_turn` has it
    return select(known.c.id).order_by(turn, known.c.id).limit(points).subquery()
