"""Links to an architecture's page, also behind a proxy that gives the dashboard a path."""

from pathlib import Path

import pytest
import streamlit as st

from dashboard.navigation import architecture_cells
from dashboard.scope import Scope
from search.store import open_store


@pytest.mark.parametrize(
    ("base", "start"),
    [
        ("", "/architecture?"),
        ("mix/space", "/mix/space/architecture?"),
        ("/m/", "/m/architecture?"),
    ],
)
def test_links_keep_the_path_prefix(
    tmp_path: Path, base: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "get_option", lambda name: {"server.baseUrlPath": base}[name])
    monkeypatch.setattr(st, "session_state", {})
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        (link,) = architecture_cells(Scope(store, "k", "s", ""), ["ab"])
    assert link.startswith(start)
