"""The benchmark of the dashboard: its options, its table, and a small run in a real browser."""

import shutil
from pathlib import Path

import pytest

from benchmarks.dashboard import PageTiming, idle, measured_pages, parse, table
from benchmarks.filled_store import fill
from dashboard.navigation import PAGES
from search.store import open_store
from tests.dashboard.server import browser


def test_without_a_browser_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        parse([])
    assert "--chromium: no chromium is installed" in capsys.readouterr().err
    assert parse(["--chromium", "/some/where"]).chromium == "/some/where"


def test_the_table_has_a_line_for_each_page() -> None:
    timings = [
        PageTiming(1_000, "Overview", 4.31, 1.94, 2.04, 0.31, 9.6, 4_590.2),
        PageTiming(1_000, "Compare", 2.9, 2.5, 2.6, None, 27.0, 4_598.0),
    ]
    lines = table(timings).splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        *("1,000", "Overview", "4.3", "1.9", "2.0", "0.3", "10", "4,590"),
    ]
    assert [cell.strip() for cell in lines[3].strip("|").split("|")][5] == "–"


@pytest.mark.slow
def test_every_page_is_measured(chromium: str, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        fill(store, 200)
    with browser(chromium) as opened:
        found = measured_pages(opened, tmp_path / "s.db", 200, repeats=1)
        left = idle(opened, tmp_path / "s.db", 200, seconds=2)
    assert [each.page for each in found] == [page.title for page in PAGES]
    for each in found:
        assert 0 < each.warm <= each.settled
        assert each.kilobytes > 1
        assert each.script_kilobytes > 1_000
    assert 0 <= left.share < 2
    assert left.seconds >= 2
