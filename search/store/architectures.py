"""Architectures, one row per id, ever."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, select, update

from search.store.database import StorePart, reads
from search.store.models import ArchitectureMixerRow, ArchitectureRow
from search.store.records import ArchitectureRecord, MixerRecord
from search.store.statements import columns_of, insert_missing, table_of
from space.architecture import Architecture
from space.axes import AXES
from space.custom import UNDECLARED
from space.errors import InputError
from space.mixer import Mixer

_MIXERS = select(*columns_of(MixerRecord, ArchitectureMixerRow))
_ROWS = table_of(ArchitectureRow)
_OF_NETWORK = [field.name for field in fields(ArchitectureRecord)][:-1]  # before the mixers
_NETWORKS = select(*(_ROWS.c[name].label(name) for name in _OF_NETWORK))
_OF_MIXER = [field.name for field in fields(MixerRecord)][2:]  # behind stage and position


class Architectures(StorePart):
    """The part of the store that keeps architectures."""

    @reads
    def get(self, connection: Connection, id_or_prefix: str) -> ArchitectureRecord:
        """The architecture whose id is, or alone begins with, these characters.

        Raises:
            InputError: where="architecture", when none or several do.
        """
        prefix = str(id_or_prefix).strip().lower()
        if not re.fullmatch("[0-9a-f]{1,64}", prefix):
            raise InputError.of(
                "architecture", f"{id_or_prefix!r} is no id; an id is 16 of 0-9 and a-f"
            )
        query = _NETWORKS.where(_begins(connection, prefix)).order_by(ArchitectureRow.id).limit(6)
        found = connection.execute(query).all()
        exact = [row for row in found if row.id == prefix]
        if len(exact or found) != 1:
            raise InputError.of("architecture", _not_one(prefix, [row.id for row in found]))
        return _record(connection, (exact or found)[0])


def add_architecture(
    connection: Connection, architecture: Architecture, params: int, macs: int
) -> bool:
    """Writes the architecture of a new trial down unless it is there; whether it did.

    Its trials are counted: of a known one there is one more.
    """
    mixers = architecture.block_mixers()
    values = {
        "id": architecture.id,
        "json": architecture.to_json(),
        "params": params,
        "macs": macs,
        "block_type": architecture.block_type,
        "depth": len(mixers),
        "operators": architecture.name,
        "trials": 1,
    }
    if not insert_missing(connection, ArchitectureRow, values):
        count_trials(connection, {architecture.id: 1})
        return False
    rows = [
        {
            "architecture_id": architecture.id,
            "stage": stage,
            "position": block,
            **{name: getattr(mixer, name) for name in _OF_MIXER},
            **_undeclared(mixer),
        }
        for stage, block, mixer in mixers
    ]
    connection.execute(_ADD_MIXERS, rows)
    return True


def count_trials(connection: Connection, more: Mapping[str, int]) -> None:
    """Notes how many trials more, or fewer, architectures have.

    What is there is not counted: who adds at the same time would be missed.
    """
    if more:
        connection.execute(_MORE, [{"known": id_, "more": more[id_]} for id_ in sorted(more)])


def _undeclared(mixer: Mixer) -> dict[str, str]:
    """A word for the axes on which a custom mixer has no mark."""
    return {axis: UNDECLARED for axis in AXES if getattr(mixer, axis) is None}


_MORE = (
    update(_ROWS)
    .where(_ROWS.c.id == bindparam("known"))
    .values(trials=_ROWS.c.trials + bindparam("more"))
)
_ADD_MIXERS = insert(table_of(ArchitectureMixerRow))


def _record(connection: Connection, row: Row[Any]) -> ArchitectureRecord:
    mixers = connection.execute(
        _MIXERS.where(ArchitectureMixerRow.architecture_id == row.id).order_by(
            ArchitectureMixerRow.stage, ArchitectureMixerRow.position
        )
    )
    return ArchitectureRecord(**row._mapping, mixers=tuple(MixerRecord(*each) for each in mixers))


def _begins(connection: Connection, prefix: str) -> ColumnElement[bool]:
    """Whether the id of a network begins so.

    For SQLite "a" is like "A", so that LIKE reads all ids; it orders by bytes, by which "g" stands
    behind every digit. A server orders by its collation: in Danish "aa" stands behind "z".
    """
    if connection.dialect.name == "sqlite":
        return ArchitectureRow.id.between(prefix, f"{prefix}g")
    return ArchitectureRow.id.startswith(prefix)


def _not_one(prefix: str, ids: list[str]) -> str:
    if not ids:
        return f"no architecture's id begins with {prefix!r}"
    listed = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
    return f"several ids begin with {prefix!r}: {listed}"
