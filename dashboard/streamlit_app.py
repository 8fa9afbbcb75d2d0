"""The dashboard: `streamlit run dashboard` runs this file.

The stores are those of `streamlit run dashboard -- --store URL --store URL`, else of
MIXSPACE_STORES, else that of MIXSPACE_STORE, else mixspace.db in the working directory.
"""

import sys
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

# Streamlit runs this file as a script, so other modules may be first to have the names of ours.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dashboard import browser_history, keyboard, login, look, notices, queries, sidebar, source
from dashboard.navigation import PAGES, Page
from dashboard.scope import Scope, set_current
from search.store import NoStore

sys.path.pop(0)  # with `search` it is seen to that ours are found

# Drawn here, as Streamlit fetches its own icons for the tab from another host.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke="#3f6fb5" '
    'stroke-width="1.6"><path d="M8 3.5 3.5 12M8 3.5 12.5 12M3.5 12h9"/><g fill="#fff"><circle '
    'cx="8" cy="3.5" r="2.3"/><circle cx="3.5" cy="12" r="2.3"/><circle cx="12.5" cy="12" '
    'r="2.3"/></g></svg>'
)
WIDE = {page.title for page in PAGES if page.wide_filter}


def main() -> None:
    """Draws the sidebar, and the page that the URL names."""
    st.set_page_config(page_title="mixspace", page_icon=ICON, layout="wide")
    login.ask()
    page = st.navigation([*map(_page, PAGES), _page(PAGES[0], is_root=True)])
    st.title(page.title)
    look.refine()
    keyboard.enter_opens_rows()
    browser_history.keep_choices()
    scope = None
    with notices.reported("The store cannot be opened"):
        stores = source.given_stores()
        name = sidebar.chosen_store(stores)
        try:
            scope = _filtered(stores[name], wide=page.title in WIDE)
        finally:
            sidebar.store_box(name, stores[name])
    if scope is not None:
        set_current(scope)
        with notices.reported("This page cannot be shown"):
            page.run()


def _page(page: Page, is_root: bool = False) -> StreamlitPage:
    """A page at its own path; the first stands once more at "/", as Streamlit has the default.

    A default page alone would be found under no path of its own.
    """
    return st.Page(
        f"views/{page.name}_view.py",
        title=page.title,
        icon=page.icon,
        url_path=None if is_root else page.url_path,
        default=is_root,
        visibility="hidden" if is_root else "visible",
    )


def _filtered(url: str, wide: bool) -> Scope | None:
    """The store with the sidebar's filter; None when there is nothing to show, which is said."""
    try:
        whole = source.open_scope(url)
    except NoStore:
        notices.no_store(source.shown(url))
        return None
    studies = queries.summaries(whole)
    study = sidebar.study_filter(studies)
    where = sidebar.where_filter(wide)
    if not studies:
        notices.no_studies()
        return None
    if where is None:
        return None
    scope = replace(whole, study=study, where=where)
    several = study is None and len({each.protocol_hash for each in studies}) > 1
    protocol = sidebar.protocol_filter(queries.protocols(scope) if several else [])
    return replace(scope, protocol=protocol)


if __name__ == "__main__":  # as Streamlit runs it
    main()
