"""How a study searches, in words."""

from collections.abc import Mapping
from typing import Any

from search.store import StudyRecord


def method_sentence(study: StudyRecord) -> str:
    """The searcher and the scheduler with their options, also those of another package."""
    searcher = _with_options(study.searcher, study.config.get("searcher"))
    scheduler = _with_options(study.scheduler, study.config.get("scheduler"))
    return f"Searcher: {searcher}. Scheduler: {scheduler}."


def _with_options(name: str, chosen: Any) -> str:
    """Such as "asha (grace_epochs 1, reduction_factor 3)", as it was stored."""
    options = chosen if isinstance(chosen, Mapping) else {}
    words = [f"{option} {_word(value)}" for option, value in options.items() if option != "name"]
    return f"{name} ({', '.join(words)})" if words else name


def _word(value: object) -> str:
    return "null" if value is None else f"{value}"
