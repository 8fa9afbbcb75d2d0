"""Dates as people write them: a day, a month, a minute, each the period that it covers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """All times from `start` up to, but without, `end`; both aware.

    A day stands for all of its times: `date = 2026-11-01` holds at noon, and `date > 2026-11-01`
    begins on the second.
    """

    start: datetime
    end: datetime


_FORMATS = {
    "%Y": "year",
    "%Y-%m": "month",
    "%Y-%m-%d": "days",
    "%Y-%m-%dT%H:%M": "minutes",
    "%Y-%m-%dT%H:%M%z": "minutes",
    "%Y-%m-%dT%H:%M:%S": "seconds",
    "%Y-%m-%dT%H:%M:%S%z": "seconds",
}
"""What may be written, with the unit that it covers."""


def parse_period(text: str) -> Period | None:
    """The period that a text names; None when it names none.

    Args:
        text: ISO 8601, from a year (2026) to a second; blank or T before the time of day, UTC
            unless it ends in a zone (Z, +02:00).
    """
    written = text.strip().upper().replace(" ", "T", 1)
    for form, unit in _FORMATS.items():
        try:
            start = datetime.strptime(written, form)
            return _period(start if start.tzinfo else start.replace(tzinfo=UTC), unit)
        except (ValueError, OverflowError):  # of another form, or beyond the calendar
            continue
    return None


def _period(start: datetime, unit: str) -> Period:
    if unit == "year":
        end = start.replace(year=start.year + 1)
    elif unit == "month":
        end = (start + timedelta(days=31)).replace(day=1)
    else:
        end = start + timedelta(**{unit: 1})
    return Period(start.astimezone(UTC), end.astimezone(UTC))
