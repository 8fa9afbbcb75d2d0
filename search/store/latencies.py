"""Latencies: of parts and of whole networks, on devices that are known by what identifies them."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, select

from search.store.database import StorePart, reads, writes
from search.store.models import (
    LatencyPartRow,
    LatencyPredictorRow,
    LatencyRow,
    LatencySettingRow,
    utc_now,
)
from search.store.records import LatencyRecord, LatencySettingRecord
from search.store.statements import columns_of, insert_missing, table_of
from space.errors import InputError

_RECORD = columns_of(LatencyRecord, LatencyRow)
NEWEST_QUIET_FIRST = (LatencyRow.disturbed, LatencyRow.id.desc())
"""Of several measurements of a network the newest undisturbed one counts, else the newest."""


class Latencies(StorePart):
    """The part of the store that keeps latencies; measurements are never changed or deleted."""

    @writes
    def add_setting(
        self,
        connection: Connection,
        setting: str,
        spec: Mapping[str, Any],
        device: Mapping[str, Any],
    ) -> None:
        """Write a setting down unless it is there."""
        values = {"id": setting, "created": utc_now(), "spec": dict(spec), "device": dict(device)}
        insert_missing(connection, LatencySettingRow, values)

    @reads
    def settings(self, connection: Connection) -> list[LatencySettingRecord]:
        """Every setting, the newest first."""
        parts = _number(LatencyPartRow, func.count())
        networks = _number(LatencyRow, func.count(LatencyRow.architecture_id.distinct()))
        columns = columns_of(
            LatencySettingRecord, LatencySettingRow, parts=parts, networks=networks
        )
        query = select(*columns).order_by(LatencySettingRow.created.desc(), LatencySettingRow.id)
        return [LatencySettingRecord(*row) for row in connection.execute(query)]

    def setting(self, id_or_prefix: str) -> LatencySettingRecord:
        """The setting whose id is, or alone begins with, these characters.

        Raises:
            InputError: where="setting", when none or several do.
        """
        every = self.settings()
        found = [each for each in every if id_or_prefix and each.id.startswith(id_or_prefix)]
        if len(found) != 1:
            known = ", ".join(each.id for each in every) or "there is none yet"
            message = (
                f"{id_or_prefix!r} is {'several' if found else 'none'} of the store's: {known}"
            )
            raise InputError.of("setting", message)
        return found[0]

    @writes
    def add_part(
        self,
        connection: Connection,
        setting: str,
        part_id: str,
        part: Mapping[str, Any],
        figure: Mapping[str, Any],
    ) -> None:
        """Write the figure of a part down; the newest one counts."""
        values = {
            "setting_id": setting,
            "part_id": part_id,
            "part": dict(part),
            "figure": dict(figure),
        }
        connection.execute(insert(table_of(LatencyPartRow)), values)

    @reads
    def parts(
        self, connection: Connection, setting: str, up_to: int | None = None
    ) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], int]:
        """The parts of a setting, each with its newest figure.

        Args:
            up_to: the number that an earlier reading gave: what was measured since is left out.

        Returns:
            The parts, and the number of this reading, 0 where there is nothing.
        """
        row = LatencyPartRow
        query = select(row.id, row.part_id, row.part, row.figure)
        query = query.where(row.setting_id == setting)
        query = query if up_to is None else query.where(row.id <= up_to)
        rows = connection.execute(query.order_by(row.id)).all()
        newest = {part_id: (part, figure) for _, part_id, part, figure in rows}
        return list(newest.values()), rows[-1].id if rows else 0

    @writes
    def add_predictor(
        self, connection: Connection, setting: str, space: str, predictor: Mapping[str, Any]
    ) -> None:
        """Write the predictor of a space in a setting down; the newest one counts."""
        values = {
            "setting_id": setting,
            "space_id": space,
            "created": utc_now(),
            "predictor": dict(predictor),
        }
        connection.execute(insert(table_of(LatencyPredictorRow)), values)

    @reads
    def predictor(self, connection: Connection, setting: str, space: str) -> dict[str, Any] | None:
        """The newest predictor of a space in a setting; None where there is none."""
        row = LatencyPredictorRow
        query = select(row.predictor).where(row.setting_id == setting, row.space_id == space)
        found: dict[str, Any] | None = connection.scalar(query.order_by(row.id.desc()).limit(1))
        return found

    @reads
    def predictors(self, connection: Connection, setting: str) -> list[dict[str, Any]]:
        """Every predictor of a setting, the newest first."""
        query = select(LatencyPredictorRow.predictor).where(
            LatencyPredictorRow.setting_id == setting
        )
        return list(connection.scalars(query.order_by(LatencyPredictorRow.id.desc())))

    @writes
    def add(
        self,
        connection: Connection,
        setting: str,
        architecture_id: str,
        figure: Mapping[str, Any],
        measured_for: str,
    ) -> LatencyRecord:
        """Write a measurement of a network down.

        Args:
            setting: its id. figure: as plain values, with "median_ms" and "reasons".
            measured_for: who wanted it.
        """
        values = {
            "setting_id": setting,
            "architecture_id": architecture_id,
            "median_ms": figure["median_ms"],
            "disturbed": bool(figure["reasons"]),
            "measured_for": measured_for,
            "figure": dict(figure),
        }
        statement = insert(table_of(LatencyRow)).returning(*_RECORD)
        return LatencyRecord(*connection.execute(statement, values).one())

    @reads
    def of(self, connection: Connection, setting: str, architecture_id: str) -> list[LatencyRecord]:
        """The measurements of a network in a setting, the one that counts first."""
        mine = (LatencyRow.setting_id == setting, LatencyRow.architecture_id == architecture_id)
        query = select(*_RECORD).where(*mine).order_by(*NEWEST_QUIET_FIRST)
        return [LatencyRecord(*row) for row in connection.execute(query)]

    def of_architecture(
        self, architecture_id: str
    ) -> list[tuple[LatencySettingRecord, list[LatencyRecord]]]:
        """The measurements of a network in every setting, each time the one that counts first."""
        found = ((each, self.of(each.id, architecture_id)) for each in self.settings())
        return [(setting, records) for setting, records in found if records]

    def counting(
        self, setting: str, architecture_ids: Collection[str] | None = None
    ) -> dict[str, LatencyRecord]:
        """The measurement that counts of each network that has one.

        Args:
            setting: its id. architecture_ids: of which; None of all.
        """
        found: dict[str, LatencyRecord] = {}
        for record in self._all(setting):
            if architecture_ids is None or record.architecture_id in architecture_ids:
                found.setdefault(record.architecture_id, record)
        return found

    @reads
    def _all(self, connection: Connection, setting: str) -> Iterable[LatencyRecord]:
        query = select(*_RECORD).where(LatencyRow.setting_id == setting)
        return [LatencyRecord(*r) for r in connection.execute(query.order_by(*NEWEST_QUIET_FIRST))]


def _number(row: type[LatencyPartRow] | type[LatencyRow], what: Any) -> Any:
    mine = row.setting_id == LatencySettingRow.id
    return select(what).select_from(row).where(mine).scalar_subquery()
