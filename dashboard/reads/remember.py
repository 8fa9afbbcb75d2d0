"""A short memory of reads, shared by all sessions, so that many viewers cost as much as one."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from dashboard.view import View

Result = TypeVar("Result")
SECONDS = 4.0


def remembered(
    view: View, name: str, arguments: tuple[Hashable, ...], read: Callable[[], Result]
) -> Result:
    """What `read` returns, or returned some seconds ago for the same store and arguments."""
    result: Result = _remembered(view.key, name, arguments, read)
    return result


@st.cache_data(ttl=SECONDS, max_entries=200, show_spinner=False)
def _remembered(
    key: str, name: str, arguments: tuple[Hashable, ...], _read: Callable[[], Result]
) -> Result:
    return _read()


def forget() -> None:
    """Reads everything anew from now on."""
    _remembered.clear()
