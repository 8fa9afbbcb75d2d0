"""The pages, and the ways between them."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Entry:
    """A page: its file in `screens/`, and how it is called in the menu and in URLs.

    Attributes:
        wide_filter: whether the where box stands on the page too, with room to write.
    """

    file: str
    title: str
    icon: str
    url_path: str
    wide_filter: bool = False


PAGES = (
    Entry("progress", "Live progress", ":material/monitoring:", "progress"),
    Entry("leaderboard", "Leaderboard", ":material/leaderboard:", "leaderboard", True),
    Entry("accuracy_cost", "Accuracy against cost", ":material/scatter_plot:", "accuracy-cost"),
    Entry("learning_curves", "Learning curves", ":material/show_chart:", "learning-curves"),
    Entry("architecture", "Architecture", ":material/account_tree:", "architecture"),
    Entry("relation_graph", "Relation graph", ":material/hub:", "relation-graph"),
)
ARCHITECTURE = "architecture"
"""The query parameter, and the URL path, that lead to one architecture."""


STORE = "store"
"""Session state and query parameter of the store's name, where there are several."""


def architecture_query(
    architecture_id: str, store: str | None, study: str | None, where: str
) -> dict[str, str]:
    """The query parameters of a link to an architecture's page, with the filter kept."""
    found = {ARCHITECTURE: architecture_id}
    if store is not None:
        found[STORE] = store
    if study is not None:
        found["study"] = study
    if where:
        found["where"] = where
    return found


def open_architecture(architecture_id: str) -> None:
    """Leaves the page for that of an architecture; the filter, bound to the URL, goes along."""
    st.switch_page("screens/architecture.py", query_params={ARCHITECTURE: architecture_id})
