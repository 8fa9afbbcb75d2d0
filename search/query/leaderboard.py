"""The best architectures: one row each, filtered, sorted and cut by the database."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from search.query.best_row import OPERATOR_SEPARATOR, BestRow
from search.query.best_statement import MAX_TOP, SORT_KEYS, Asked, canonical_sort
from search.query.protocols import StudiesOfProtocol, protocols_of
from search.query.statement import Statement, statement_of
from search.query.where import Where
from search.store.models import ArchitectureRow, StudyRow
from search.store.store import Store

__all__ = [
    "MAX_TOP",
    "SORT_KEYS",
    "BestOfProtocol",
    "best",
    "best_by_protocol",
    "best_of_one_operator",
    "best_statements",
    "canonical_sort",
]


def best(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[BestRow]:
    """One row per architecture: of its trials that `where` allows, the most accurate complete one.

    Where none is complete it is the most accurate of the others; such rows come behind all complete
    ones, in whatever order, since a training that was stopped early does not compare with them.
    Results of several protocols are refused: `best_by_protocol` has them apart.

    An architecture that was trained several times under one protocol counts with the mean of its
    complete trials, one for each pair of seeds; what was taken over has those of its source.
    `where` compares single trials.

    Args:
        store: where to look.
        where: a where-clause; unless it speaks of `state`, only complete and pruned trials count.
        study: only trials of this study.
        architecture: only the one with this id.
        sort: one of SORT_KEYS, "-" before it for descending; ties go by params, then by id, and
            rows without a value come last.
        top: how many rows; None is all.

    Raises:
        InputError: a malformed where-clause, an unknown study or sort key, top not in 1 to
            MAX_TOP, all of these at once; or results of several protocols.
    """
    asked = Asked.of(store, where, study, architecture, sort, top)
    return asked.of_one_protocol(store).rows(store, ())


@dataclass(frozen=True, slots=True)
class BestOfProtocol:
    """The rows of `best` that came about by one protocol."""

    protocol: StudiesOfProtocol
    rows: list[BestRow]


def best_by_protocol(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[BestOfProtocol]:
    """The best of each protocol apart, that of the newest study first; none without a result.

    The arguments are those of `best`; `top` is of each protocol.

    Raises:
        InputError: as `best` does, but for several protocols.
    """
    asked = Asked.of(store, where, study, architecture, sort, top)
    found = protocols_of(store, asked.conditions)
    return [BestOfProtocol(each, asked.rows(store, _only(each.hash))) for each in found]


def best_statements(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[Statement]:
    """The statements that give the rows of `best_by_protocol`, one for each protocol, in order.

    Where no trial fulfils the clause it is one, of all protocols. Their columns are the fields of
    BestRow, in that order; `deviation` alone is worked out afterwards. For the first rows by
    accuracy `best` bounds the accuracy besides, which leaves them as they are.

    Raises:
        InputError: as `best_by_protocol` does.
    """
    asked = Asked.of(store, where, study, architecture, sort, top)
    hashes = [each.hash for each in protocols_of(store, asked.conditions)]
    found = [statement_of(store, asked.query(_only(each)), each) for each in hashes]
    return found or [statement_of(store, asked.query(()))]


def _only(protocol_hash: str) -> tuple[ColumnElement[bool]]:
    return (StudyRow.protocol_hash == protocol_hash,)


def best_of_one_operator(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> list[BestRow]:
    """Of the rows of `best` those whose architecture uses one operator throughout.

    Raises:
        InputError: as `best` does.
    """
    asked = Asked.of(store, where, study, None, "-accuracy", None).of_one_protocol(store)
    several = ArchitectureRow.operators.contains(OPERATOR_SEPARATOR, autoescape=True)
    return asked.rows(store, (~several,))
