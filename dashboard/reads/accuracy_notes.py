"""What is to be known of the accuracies on a page: what guessing scores, which are optimistic."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import select

from dashboard.reads.remember import remembered
from dashboard.view import View
from search.query import chance_sentences, optimism_of
from search.store.models import Study


class _Study(NamedTuple):
    name: str
    objective: Mapping[str, Any]
    protocol: Mapping[str, Any]


def accuracy_notes(view: View, among: Collection[str] | None = None) -> list[str]:
    """Both, of all studies of the filter, or of those named."""
    studies = _studies(view, among)
    optimistic = optimism_of((study.name, study.protocol) for study in studies)
    return [*_chances(studies), *([] if optimistic is None else [optimistic])]


def chance_notes(view: View) -> list[str]:
    """What guessing scores in each study of the filter, as far as the store tells."""
    return _chances(_studies(view, None))


def _chances(studies: Collection[_Study]) -> list[str]:
    return chance_sentences((study.name, study.objective) for study in studies)


def _studies(view: View, among: Collection[str] | None) -> list[_Study]:
    """The newest first."""
    query = select(Study.name, Study.objective, Study.protocol).order_by(Study.id.desc())

    def read() -> list[_Study]:
        found: Any = view.store.read(lambda session: session.execute(query).all())
        return [_Study(*row) for row in found]

    wanted = [view.study] if among is None and view.study is not None else among
    every = remembered(view, "accuracy notes", (), read)
    return [study for study in every if wanted is None or study.name in wanted]
