"""Stores in every state, a file each, built once for the tests of a worker."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from playwright.sync_api import Browser
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.dashboard import stores
from tests.dashboard.server import Visitor, browser, dashboard
from tests.support.stores import new_sqlite_store, postgres_server, store, store_url

SCRIPT = Path(__file__).parents[2] / "dashboard/streamlit_app.py"
Open = Callable[..., AppTest]
FIRST_FINISHED = sorted(stores.BUILDERS, key=lambda state: state != "finished")
"""The first store does not stand in the URL, which Streamlit writes in two steps where it does:
then Back has one step more.
"""

__all__ = ["new_sqlite_store", "postgres_server", "store", "store_files", "store_url", "visitor"]


@pytest.fixture(scope="session")
def store_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store in each state, by the state's name; "missing" names a file that is not there."""
    folder = tmp_path_factory.mktemp("stores")
    for name, build in stores.BUILDERS.items():
        build(folder / f"{name}.db")
    return {name: folder / f"{name}.db" for name in (*stores.BUILDERS, "missing")}


@pytest.fixture(scope="session")
def browsed_files(store_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stores that the browser looks at; a test may write to them."""
    folder = tmp_path_factory.mktemp("browsed")
    for state in stores.BUILDERS:
        shutil.copy(store_files[state], folder)
    return folder


@pytest.fixture(scope="module")
def visitor(browsing: Visitor) -> Iterator[Visitor]:
    """The browser; `store` is for the test to say."""
    yield browsing
    browsing.leave()


@pytest.fixture(scope="session")
def opened_browser(chromium: str) -> Iterator[Browser]:
    """The one browser of a worker; Playwright does not start a second."""
    with browser(chromium) as opened:
        yield opened


@pytest.fixture(scope="session")
def browsing(
    opened_browser: Browser, browsed_files: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visitor]:
    """A tab on a dashboard of the stores in every state."""
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with dashboard([browsed_files / f"{state}.db" for state in FIRST_FINISHED], log) as url:
        found = Visitor(opened_browser, url)
        yield found
        found.close()


@pytest.fixture(scope="session", autouse=True)
def no_components_of_packages() -> Iterator[None]:
    """Streamlit's harness looks through all that is installed at every run; we use none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


@pytest.fixture(scope="session")
def registered_pages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The pages that the script has, as a first run finds them; run once, on no store at all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXSPACE_STORE", str(tmp_path_factory.mktemp("none") / "none.db"))
        return AppTest.from_file(str(SCRIPT), default_timeout=60).run()._registered_pages


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, registered_pages: Any) -> Open:
    """Opens a page on a store, with query parameters, as a link to it does."""

    def run(file: str, store: Path | str, /, **query: str) -> AppTest:
        st.cache_data.clear()
        monkeypatch.setenv("MIXSPACE_STORE", str(store))
        test = AppTest.from_file(str(SCRIPT), default_timeout=60)
        test.query_params.update(query)
        test._registered_pages = registered_pages  # else the first page must be drawn before
        test.switch_page(f"views/{file}_view.py")
        return test.run()

    return run
