"""What a page looks at: a store, and the one filter that applies to every page."""

from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from search.store import Store

_CURRENT = "current_view"


@dataclass(frozen=True, slots=True)
class View:
    """A store and a filter.

    Attributes:
        key: names the store in caches.
        study: only trials of this study; None is all studies.
        where: a where-clause that parses; empty is none.
    """

    store: Store
    key: str
    study: str | None
    where: str

    @property
    def is_filtered(self) -> bool:
        """Whether the where-clause leaves trials out."""
        return bool(self.where)


def set_current(view: View) -> None:
    """Hands the view to the page that is about to run."""
    st.session_state[_CURRENT] = view


def current() -> View:
    """The view of the page that runs."""
    view: View = st.session_state[_CURRENT]
    return view


def zone() -> tzinfo:
    """The time zone of the browser, as far as it is known; else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
