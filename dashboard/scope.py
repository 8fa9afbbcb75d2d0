"""What a page looks at: a store, and the one filter that applies to every page."""

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from search.query import Where, parse_where
from search.store import Store

_CURRENT = "current_scope"


class Filter(TypedDict):
    """The arguments of a query that hold the filter."""

    study: str | None
    where: Where | None


@dataclass(frozen=True, slots=True)
class Scope:
    """An open store and a filter.

    Attributes:
        key: names the store in caches; another file in the same place has another key.
        study: only trials of this study; None is all studies.
        where: a where-clause that parses; empty is none.
        protocol: only trials of the protocol with this hash, where the filter leaves several: what
            came about by two does not compare. None is all.
        url: of the store, with a password if it has one.
    """

    store: Store
    key: str
    study: str | None = None
    where: str = ""
    protocol: str | None = None
    url: str = field(default="", repr=False)

    @property
    def is_filtered(self) -> bool:
        """Whether the where-clause leaves trials out."""
        return bool(self.where)

    @property
    def filter(self) -> Filter:
        """For the queries of `search.query`."""
        return {"study": self.study, "where": self.where_clause}

    @property
    def where_clause(self) -> Where | None:
        """The where-clause, and the protocol as a part of it."""
        asked = parse_where(self.where) if self.where else None
        if self.protocol is None:
            return asked
        of_protocol = parse_where(f"protocol = {self.protocol}")
        return of_protocol if asked is None else asked.also(of_protocol)

    @property
    def unfiltered(self) -> "Scope":
        """The whole store."""
        return replace(self, study=None, where="", protocol=None)


def set_current(scope: Scope) -> None:
    """Hands the scope to the page that is about to run."""
    st.session_state[_CURRENT] = scope


def current() -> Scope:
    """The scope of the page that runs."""
    scope: Scope = st.session_state[_CURRENT]
    return scope


def zone() -> tzinfo:
    """The time zone of the browser, as far as it is known; else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
