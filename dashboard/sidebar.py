"""The sidebar: the filter that applies to every page, and the store."""

from pathlib import Path

import streamlit as st

from dashboard import messages, source
from dashboard.reads import remember
from search.query import FIELDS, parse_where
from search.store import StudySummary
from space.errors import InputError

STUDY, WHERE = "study", "where"
"""Session state and query parameters of the filter."""
_WIDE = "where_wide"
ALL_STUDIES = "All studies"
EXAMPLE = "dynamics = static and params < 200k"


def study_filter(studies: list[StudySummary]) -> str | None:
    """The study box; None is all studies."""
    chosen = st.sidebar.selectbox(
        "Study",
        [ALL_STUDIES, *(study.name for study in studies)],
        key=STUDY,
        bind="query-params",
    )
    return None if chosen in (None, ALL_STUDIES) else chosen


def where_filter(wide: bool) -> str | None:
    """The where box; None when what it holds cannot be read, which is then shown.

    Args:
        wide: whether the box stands once more on the page, with room to write; the two are one.
    """
    text = st.sidebar.text_input(
        "Where",
        key=WHERE,
        bind="query-params",
        placeholder=EXAMPLE,
        help=where_help(),
    )
    if wide:
        st.session_state[_WIDE] = text
        st.text_input(
            "Where", key=_WIDE, on_change=_copy_to_sidebar, placeholder=EXAMPLE, help=where_help()
        )
    text = (text or "").strip()
    try:
        return text and parse_where(text).text
    except InputError as error:
        messages.show_error("The filter cannot be read", str(error))
        return None


def _copy_to_sidebar() -> None:
    st.session_state[WHERE] = st.session_state[_WIDE]


def where_help() -> str:
    """What may be written in a where box."""
    fields = ", ".join(f"`{name}`" for name in FIELDS)
    return (
        f"Comparisons joined by `and`, `or`, `not`, such as `{EXAMPLE}`. Fields: {fields}. "
        "Fields of mixers hold for every mixer; with `any` before them for at least one. "
        "The same language as `python -m search best --where`."
    )


def store_box(url: str) -> None:
    """Shows the store, and lets a person choose another."""
    with st.sidebar.container():
        st.caption(f"Store  \n`{Path(source.shown(url)).name}`", help=f"`{source.shown(url)}`")
        left, right = st.columns(2)
        if left.button("Refresh", icon=":material/refresh:", width="stretch"):
            remember.forget()
            st.rerun()
        with right.popover("Change", width="stretch"):
            _choice()


def _choice() -> None:
    names = sorted(path.name for path in Path.cwd().glob("*.db"))
    for name in names[:20]:
        if st.button(name, key=f"store-{name}", width="stretch"):
            _choose(name)
    if not source.is_default() and st.button("Back to the default", width="stretch"):
        _choose(None)
    with st.form("another-store", clear_on_submit=True, border=False):
        other = st.text_input(
            "Another file or URL",
            type="password",
            help="Hidden as you type, because a URL may hold a password.",
        )
        if st.form_submit_button("Open", width="stretch") and other.strip():
            _choose(other.strip())


def _choose(url: str | None) -> None:
    source.choose(url)
    st.rerun()
