"""Which store the dashboard looks at, and opening it."""

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from search.store import Store, open_store
from search.store.url import display, is_sqlite, parse_url, sqlite_path
from space.errors import InputError

VARIABLE = "MIXSPACE_STORE"
DEFAULT = "mixspace.db"
_CHOSEN = "chosen_store"


@dataclass(frozen=True, slots=True)
class Source:
    """An open store.

    Attributes:
        key: names the store in caches; another file in the same place has another key.
    """

    store: Store
    key: str


def default_url() -> str:
    """The store that the environment names, else the one in the working directory."""
    return os.environ.get(VARIABLE) or DEFAULT


def current_url() -> str:
    """The store of this session: the one chosen in the sidebar, else the default."""
    chosen: str | None = st.session_state.get(_CHOSEN)
    return chosen or default_url()


def choose(url: str | None) -> None:
    """Makes this session look at another store; None goes back to the default."""
    st.session_state[_CHOSEN] = url


def is_default() -> bool:
    """Whether this session looks at the default store, as a link opened elsewhere would."""
    return st.session_state.get(_CHOSEN) is None


def shown(url: str) -> str:
    """The store for people: no password, and no URL that cannot be read, as it may hold one."""
    try:
        parsed = parse_url(url)
    except InputError:
        return "a store URL that cannot be read"
    return str(sqlite_path(parsed)) if is_sqlite(parsed) else display(parsed)


def open_source(url: str) -> Source:
    """The store at `url`; it stays open between reruns.

    Raises:
        InputError: as `open_store` does; nothing is written where no store is.
    """
    identity = _identity(url)
    store = _opened(url, identity)
    return Source(store, f"{store.url} {identity}")


@st.cache_resource(show_spinner=False, max_entries=8, on_release=lambda store: store.close())
def _opened(url: str, identity: tuple[int, int] | None) -> Store:
    return open_store(url, create=False)


def _identity(url: str) -> tuple[int, int] | None:
    """Tells a file from another that has taken its place; None where there is no file."""
    path = _file(url)
    if path is None or not path.exists():
        return None
    status = path.stat()
    return status.st_dev, status.st_ino


def _file(url: str) -> Path | None:
    try:
        parsed = parse_url(url)
    except InputError:
        return None
    return sqlite_path(parsed) if is_sqlite(parsed) else None
