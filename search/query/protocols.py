"""The protocols of results, and the rule that those of several are never ranked or joined.

A protocol holds the images, their split, the epochs and every step of the training: a result says
nothing of one that came about by another. So whatever orders, averages or joins results asks here
first, and refuses those of several protocols; who wants them all asks for each protocol apart.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ColumnElement, exists, select

from search.query.where import Where, matching, parse_where
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.store import Store
from space.errors import InputError
from space.surface import surface
from space.wording import some

_NAMED = 3
"""Studies that are named in a line; the others are counted."""


@dataclass(frozen=True, slots=True)
class StudiesOfProtocol:
    """A protocol, and the studies whose results came about by it.

    Attributes:
        hash: of the protocol, 16 hexadecimal digits.
        studies: their names, the newest first.
    """

    hash: str
    studies: tuple[str, ...]

    @property
    def words(self) -> str:
        """The studies, such as "a, b, c and 4 more"."""
        return some(self.studies, _NAMED)


def protocols(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> list[StudiesOfProtocol]:
    """The protocols of the trials that a filter leaves, in whatever state they are.

    Returns:
        That of the newest study first.

    Raises:
        InputError: a malformed where-clause.
    """
    return protocols_of(store, matching(where, study, store.runs.stale()))


def protocols_of(
    store: Store, conditions: Sequence[ColumnElement[bool]]
) -> list[StudiesOfProtocol]:
    """The same of conditions on trials, their architectures and studies."""
    # Of each study the first trial that fulfils them is enough.
    found = (
        exists()
        .where(
            TrialRow.study_id == StudyRow.id,
            ArchitectureRow.id == TrialRow.architecture_id,
            *conditions,
        )
        .correlate(StudyRow)
    )
    query = select(StudyRow.protocol_hash, StudyRow.name).where(found).order_by(StudyRow.id.desc())
    rows: Any = store.read(lambda connection: connection.execute(query).all())
    groups: dict[str, list[str]] = {}
    for protocol_hash, name in rows:
        groups.setdefault(protocol_hash, []).append(name)
    return [StudiesOfProtocol(hash_, tuple(names)) for hash_, names in groups.items()]


def refuse_several_protocols(
    store: Store,
    conditions: Sequence[ColumnElement[bool]],
    *,
    where: Where | str | None = None,
    study: str | None = None,
) -> None:
    """See to it that results which are about to be ranked came about by one protocol.

    Args:
        store: where they are.
        conditions: on trials, their architectures and studies: the results.
        where: of the conditions; one that names a whole protocol leaves nothing to look up.
        study: likewise: one has one protocol.

    Raises:
        InputError: they have several, which are named with what to do.
    """
    clause = parse_where(where) if isinstance(where, str) else where
    is_pinned = study is not None or (clause is not None and clause.is_of_one_protocol)
    if is_pinned or _has_one_protocol(store):
        return
    found = protocols_of(store, conditions)
    if len(found) > 1:
        named = "; ".join(f"{each.hash} of {each.words}" for each in found)
        raise InputError.of(
            surface().field("study"),
            f"these results are of {len(found)} protocols, and do not compare ({named}): name one "
            f"study, or one protocol in the clause, such as protocol = {found[0].hash}",
        )


def _has_one_protocol(store: Store) -> bool:
    query = select(StudyRow.protocol_hash).distinct().limit(2)
    return len(store.read(lambda connection: connection.scalars(query).all())) < 2


class OfProtocol(Protocol):
    """A result."""

    @property
    def protocol_hash(self) -> str:
        """Of the protocol by which it came about."""


def refuse_mixed(rows: Iterable[OfProtocol]) -> None:
    """See to it that rows came about by one protocol.

    Raises:
        InputError: they have several.
    """
    hashes = sorted({row.protocol_hash for row in rows})
    if len(hashes) > 1:
        raise InputError.of(
            "rows",
            f"are of {len(hashes)} protocols ({', '.join(hashes)}), and results of one do not "
            "compare with those of another: keep those of one",
        )
