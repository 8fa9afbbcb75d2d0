"""The sidebar: the filter that applies to every page, and the store."""

import streamlit as st

from dashboard import notices, queries, source
from dashboard.escaping import markdown
from dashboard.navigation import PROTOCOL, STORE, STUDY, WHERE
from search.query import FIELDS, StudiesOfProtocol, parse_where
from search.store import StudySummary
from space.errors import InputError

_WIDE = "where_wide"
ALL_STUDIES = "All studies"
EXAMPLE = "dynamics = static and params < 200k"


def study_filter(studies: list[StudySummary]) -> str | None:
    """The study box; None is all studies. A study of the URL that is not there is told."""
    names = [study.name for study in studies]
    asked = st.query_params.get(STUDY, ALL_STUDIES)  # the box takes out of the URL what it lacks
    if asked not in (ALL_STUDIES, *names):
        st.warning(
            f"This store has no study {markdown(repr(asked))}: all are shown.",
            icon=":material/search_off:",
        )
    chosen = st.sidebar.selectbox(
        "Study",
        [ALL_STUDIES, *names],
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
        notices.show_error("The filter cannot be read", str(error))
        return None


def _copy_to_sidebar() -> None:
    st.session_state[WHERE] = st.session_state[_WIDE]


_IN_URL = "protocol_in_url"


def protocol_filter(found: list[StudiesOfProtocol]) -> str | None:
    """The box of the protocols whose results the filter leaves; no box for one, and None for none.

    The URL has the hash: bound to it, the box would write there what it shows. A URL that changes,
    as by Back, goes before what was chosen.
    """
    names = {each.hash: f"{each.words} ({each.hash[:4]})" for each in found}
    asked, state = st.query_params.get(PROTOCOL), st.session_state
    if len(names) < 2:
        st.query_params.pop(PROTOCOL, None)
        return next(iter(names), None)
    if asked is not None and asked not in names:
        st.warning(
            f"No trial of the filter is of protocol {markdown(repr(asked))}: another is shown.",
            icon=":material/search_off:",
        )
    if asked in names and asked != state.get(_IN_URL):
        state[PROTOCOL] = asked
    elif state.get(PROTOCOL) not in names:
        state[PROTOCOL] = found[0].hash
    chosen = st.sidebar.selectbox(
        "Results of",
        list(names),
        format_func=lambda hash_: names.get(hash_, hash_),
        key=PROTOCOL,
        help="Here are results of several protocols: other images, other epochs, another recipe. "
        "They do not compare, so the pages show those of one.",
    )
    if chosen != asked:
        st.query_params[PROTOCOL] = chosen
    state[_IN_URL] = chosen
    return chosen


def where_help() -> str:
    """What may be written in a where box."""
    fields = ", ".join(f"`{name}`" for name in FIELDS)
    return (
        f"Comparisons joined by `and`, `or`, `not`, such as `{EXAMPLE}`. Fields: {fields}. "
        "Fields of mixers hold for every mixer; with `any` before them for at least one. "
        "The same language as `python -m search best --where`."
    )


def chosen_store(stores: dict[str, str]) -> str:
    """The name of the store to look at: of those that the dashboard was started with, no other."""
    names = list(stores)
    asked = st.query_params.get(STORE)  # the box takes out of the URL what it lacks
    if asked is not None and asked not in names:
        st.warning(
            f"This dashboard was started with no store {markdown(repr(asked))}: "
            f"{markdown(names[0])} is shown.",
            icon=":material/search_off:",
        )
    if len(names) == 1:
        return names[0]
    chosen = st.sidebar.selectbox("Store", names, key=STORE, bind="query-params")
    return chosen if chosen in stores else names[0]


def store_box(name: str, url: str) -> None:
    """Shows which store it is, and reads it anew on request."""
    with st.sidebar.container():
        st.caption(f"Store  \n{markdown(name)}", help=markdown(source.shown(url)))
        if st.button("Refresh", icon=":material/refresh:", width="stretch"):
            queries.clear_cache()
            st.rerun()
