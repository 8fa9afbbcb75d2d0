"""Column types that let only storable values through, the same on both databases."""

import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Double, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no zone, so all times are stored as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive time is a mistake of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError("times in the store carry a zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From UTC, aware again."""
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


class FiniteFloat(TypeDecorator[float]):
    """A double; NaN and the infinities are stored as NULL (the databases disagree about them)."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """NULL unless finite; NumPy's scalars become plain floats."""
        return None if value is None or not math.isfinite(value) else float(value)


class SafeText(TypeDecorator[str]):
    """Text without NUL and lone surrogates, which PostgreSQL refuses and error messages hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The same text where it can be stored, with replacement characters where not."""
        return None if value is None else storable_text(value)


class SafeJson(TypeDecorator[Any]):
    """JSON in which non-finite numbers are null."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The same value with null for every non-finite number."""
        return finite_json(value)


def storable_text(text: str) -> str:
    """The text with NUL and lone surrogates replaced."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def finite_json(value: Any) -> Any:
    """The value with None for every non-finite number, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_json(item) for item in value]
    return value


def utc_now() -> datetime:
    """This machine's time, aware."""
    return datetime.now(UTC)
