"""Paths to every page with something on it."""

from pathlib import Path

from dashboard.navigation import ARCHITECTURE, COMPARED, PAGES, Page
from search import query
from search.store import open_store


def best_ids(store: Path, study: str) -> list[str]:
    """The most accurate architectures of a study, the best first."""
    with open_store(str(store), create=False) as opened:
        return [row.architecture_id for row in query.best(opened, study=study, top=6)]


def full_paths(store: Path, study: str) -> dict[str, str]:
    """Where each page is, by its name; of the study, with networks where it asks for some."""
    ids = best_ids(store, study)
    more = {
        "architecture": f"&{ARCHITECTURE}={ids[0]}",
        "compare": f"&{COMPARED}={','.join(ids[:3])}",
    }
    return {page.name: f"{page.url_path}?study={study}{more.get(page.name, '')}" for page in PAGES}


def by_name(name: str) -> Page:
    """The page of this name."""
    return next(page for page in PAGES if page.name == name)
