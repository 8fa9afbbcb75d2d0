"""How long the dashboard's pages take on stores of many trials, in a real browser.

    python -m benchmarks.dashboard [--trials 1000 10000 100000] [--optuna 1000] [--repeats 3]
        [--idle 30] [--chromium PATH] [--json]

Of every page of a made-up store (that of `benchmarks.store`) are told: the seconds until it shows
its first figure or table with an empty cache of the browser and with a filled one, until nothing
works on it any more, and from a new filter until nothing works any more; and what it takes over the
socket, without the scripts, which the browser keeps. Each is the median of --repeats visits, which
filter differently, so that the server has no answer ready. Live progress is then left open for
--idle seconds, and the CPU time of the server is told.

Beside it stands optuna-dashboard on a study of as many trials (up to --optuna), where it is
installed: `pip install optuna-dashboard`. Its page of a study is the one that compares.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.filled_optuna import filled_study
from benchmarks.filled_store import PROTOCOLS, fill
from benchmarks.markdown import markdown_table
from benchmarks.numbers import at_least
from benchmarks.timing import processor
from dashboard.navigation import ARCHITECTURE, COMPARED, PAGES
from search import query
from search.store import open_store, open_to_read
from tests.dashboard.server import BUSY, browser, dashboard, free_port, wait_for

SHOWS = ", ".join(
    f'[data-testid="stMain"] {each}'
    for each in (
        *('[data-testid="stMetric"]', '[data-testid="stDataFrame"]', '[data-testid="stTable"]'),
        *(".js-plotly-plot", "svg.relation-graph", '[data-testid="stAlertContentInfo"]'),
    )
)
"""A figure, a table, or a sentence that there is nothing to show."""
_RUNS = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    window.runs = 0;
    new MutationObserver(() => {
        if (app.getAttribute("data-test-script-state") === "notRunning") window.runs += 1;
    }).observe(app, {attributes: true, attributeFilter: ["data-test-script-state"]});
}"""
_WINDOW = {"width": 1440, "height": 1000}
_MINUTES = 120_000


@dataclass(frozen=True, slots=True)
class PageTiming:
    """What a page took.

    Attributes:
        trials: in the store. page: its title.
        cold, warm: seconds until its first figure or table, with an empty and a filled cache.
        settled: seconds until nothing works on it any more, with a filled cache.
        filtered: seconds from a filter until nothing works any more; None where there is none.
        kilobytes: over the socket in a visit. script_kilobytes: all else of the cold visit.
    """

    trials: int
    page: str
    cold: float
    warm: float
    settled: float
    filtered: float | None
    kilobytes: float
    script_kilobytes: float


@dataclass(frozen=True, slots=True)
class Idle:
    """The share of a core that one open page takes of the server, 0 to 1."""

    trials: int
    share: float
    seconds: float


class Traffic:
    """What a tab gets: over sockets, and by requests that the cache did not answer.

    Attributes:
        socket, requests: bytes.
    """

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.socket = self.requests = 0
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameReceived", self._frame)
        session.on("Network.loadingFinished", self._loaded)

    def _frame(self, event: dict[str, Any]) -> None:
        data = event["response"]["payloadData"]
        # What is binary comes as base64.
        self.socket += len(data) * 3 // 4 if event["response"]["opcode"] == 2 else len(data)

    def _loaded(self, event: dict[str, Any]) -> None:
        self.requests += int(event["encodedDataLength"])


@dataclass(slots=True)
class Visit:
    """One look at a page, and what it took."""

    shown: float
    settled: float
    filtered: float | None
    socket: int
    requests: int


def visit(context: BrowserContext, url: str, title: str, clause: str | None) -> Visit:
    """Opens a page in a new tab and, if asked, filters it."""
    page = context.new_page()
    page.set_default_timeout(_MINUTES)
    traffic = Traffic(context, page)
    start = time.perf_counter()
    page.goto(url)
    page.get_by_role("heading", name=title, exact=True).first.wait_for()
    page.locator(SHOWS).first.wait_for()
    shown = time.perf_counter() - start
    _settle(page)
    settled = time.perf_counter() - start
    got = traffic.socket, traffic.requests
    filtered = None if clause is None else _filter(page, clause)
    page.close()
    return Visit(shown, settled, filtered, *got)


def _settle(page: Page) -> None:
    page.wait_for_function(
        "selector => document.querySelectorAll(selector).length === 0", arg=BUSY, polling=20
    )


def _filter(page: Page, clause: str) -> float:
    box = page.get_by_test_id("stSidebar").get_by_role("textbox", name="Where")
    box.fill(clause)
    page.evaluate(_RUNS)
    start = time.perf_counter()
    box.press("Enter")
    page.wait_for_function("() => window.runs > 0", polling=20)
    _settle(page)
    return time.perf_counter() - start


def pages_of(store: Path) -> dict[str, str]:
    """Every page's path below the dashboard's URL, by its title."""
    with open_to_read(str(store)) as opened:
        rows = query.best(opened, where=f"protocol = {PROTOCOLS[0]}", top=2)
    of_it = {
        "architecture": f"?{ARCHITECTURE}={rows[0].architecture_id}",
        "compare": f"?{COMPARED}={','.join(row.architecture_id for row in rows)}",
    }
    return {page.title: page.url_path + of_it.get(page.url_path, "") for page in PAGES}


def measured_pages(opened: Browser, store: Path, trials: int, repeats: int) -> list[PageTiming]:
    """All pages of a store, by a server of their own."""
    with dashboard([store], store.with_suffix(".log")) as url:
        return [
            _measured(opened, f"{url}/{path}", title, trials, repeats)
            for title, path in pages_of(store).items()
        ]


def _measured(opened: Browser, url: str, title: str, trials: int, repeats: int) -> PageTiming:
    print(f"{trials:,} trials, {title}", file=sys.stderr, flush=True)
    # Compare and Architecture show networks that are named, whatever the filter.
    filters = title not in ("Compare", "Architecture")
    cold: list[Visit] = []
    warm: list[Visit] = []
    for repeat in range(repeats):
        context = opened.new_context(viewport=_WINDOW)  # has no cache yet
        cold.append(visit(context, url, title, None))
        clause = f"params < {40 + repeat}M" if filters else None
        warm.append(visit(context, url, title, clause))
        context.close()
    return PageTiming(
        trials,
        title,
        _median(cold, lambda each: each.shown),
        _median(warm, lambda each: each.shown),
        _median(warm, lambda each: each.settled),
        _median(warm, lambda each: each.filtered or 0.0) if filters else None,
        _median(warm, lambda each: each.socket / 1000),
        _median(cold, lambda each: each.requests / 1000),
    )


def _median(visits: list[Visit], of: Callable[[Visit], float]) -> float:
    return float(median(map(of, visits)))


def idle(opened: Browser, store: Path, trials: int, seconds: float) -> Idle:
    """What an open Live progress costs, a while after it was drawn."""
    with dashboard([store], store.with_suffix(".log")) as url:
        page = opened.new_page()
        page.goto(f"{url}/progress")
        page.locator(SHOWS).first.wait_for(timeout=_MINUTES)
        _settle(page)
        page.wait_for_timeout(3_000)
        before, start = _spent(), time.perf_counter()
        page.wait_for_timeout(1000 * seconds)
        took = time.perf_counter() - start
        share = (_spent() - before) / took
        page.close()
    return Idle(trials, share, took)


def _spent() -> float:
    """CPU seconds of the servers that this process started."""
    servers = (
        each
        for child in psutil.Process().children()
        if "streamlit" in child.cmdline()
        for each in (child, *child.children(recursive=True))
    )
    return sum(sum(each.cpu_times()[:2]) for each in servers)


@contextmanager
def optuna_dashboard(program: str, folder: Path, trials: int) -> Iterator[str]:
    """optuna-dashboard on a study of so many trials; the URL of the study's page."""
    storage = f"sqlite:///{folder / f'optuna-{trials}.db'}"
    filled_study(storage, trials)
    port = free_port()
    log = folder / "optuna-dashboard.log"
    with log.open("wb") as output:
        command = [program, storage, f"--port={port}"]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(process, f"http://127.0.0.1:{port}/dashboard", log)
            yield f"http://127.0.0.1:{port}/dashboard/studies/1"
        finally:
            process.terminate()
            process.wait(timeout=20)


def measured_optuna(opened: Browser, url: str, trials: int, repeats: int) -> PageTiming:
    """Its page of a study, until the first chart is drawn, and until no request is open."""
    cold: list[Visit] = []
    warm: list[Visit] = []
    for _ in range(repeats):
        context = opened.new_context(viewport=_WINDOW)
        for found in (cold, warm):
            page = context.new_page()
            page.set_default_timeout(_MINUTES)
            traffic = Traffic(context, page)
            start = time.perf_counter()
            page.goto(url)
            page.locator(".js-plotly-plot svg.main-svg").first.wait_for()
            shown = time.perf_counter() - start
            page.wait_for_load_state("networkidle")
            idle_since = time.perf_counter() - start - 0.5  # for so long nothing was asked
            settled = max(shown, idle_since)
            found.append(Visit(shown, settled, None, 0, traffic.requests))
            page.close()
        context.close()
    return PageTiming(
        trials,
        "optuna-dashboard, a study",
        _median(cold, lambda each: each.shown),
        _median(warm, lambda each: each.shown),
        _median(warm, lambda each: each.settled),
        None,
        _median(warm, lambda each: each.requests / 1000),
        _median(cold, lambda each: each.requests / 1000),
    )


def measured(options: argparse.Namespace) -> tuple[list[PageTiming], list[Idle]]:
    """All of it; what takes longest is making the stores."""
    pages: list[PageTiming] = []
    idles: list[Idle] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        opened = stack.enter_context(browser(options.chromium))
        for trials in options.trials:
            store = folder / f"{trials}.db"
            with open_store(str(store), create=True) as filled:
                fill(filled, trials)
            pages += measured_pages(opened, store, trials, options.repeats)
            idles.append(idle(opened, store, trials, options.idle))
            if options.optuna_dashboard and trials <= options.optuna:
                with optuna_dashboard(options.optuna_dashboard, folder, trials) as url:
                    pages.append(measured_optuna(opened, url, trials, options.repeats))
    return pages, idles


def table(found: list[PageTiming]) -> str:
    """A line for each page and size."""
    header = [
        *("trials", "page", "first figure, cold s", "warm s", "settled s", "new filter s"),
        *("socket KB", "other KB"),
    ]
    rows = [
        [
            *(f"{each.trials:,}", each.page),
            *(f"{seconds:.1f}" for seconds in (each.cold, each.warm, each.settled)),
            "–" if each.filtered is None else f"{each.filtered:.1f}",
            *(f"{size:,.0f}" for size in (each.kilobytes, each.script_kilobytes)),
        ]
        for each in found
    ]
    return markdown_table(header, rows)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sizes = [1_000, 10_000, 100_000]
    beside = Path(sys.executable).with_name("optuna-dashboard")
    peer = str(beside) if beside.exists() else shutil.which("optuna-dashboard")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    parser.add_argument("--trials", type=at_least(50), nargs="+", default=sizes, help="sizes")
    parser.add_argument("--optuna", type=at_least(0), default=1_000, help="its largest size")
    parser.add_argument("--optuna-dashboard", default=peer, help="its program")
    parser.add_argument("--repeats", type=at_least(1), default=3, help="visits of each page")
    parser.add_argument("--idle", type=at_least(1), default=30, help="seconds")
    parser.add_argument("--chromium", default=chromium, help="the browser's program")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.chromium is None:
        parser.error("--chromium: no chromium is installed; name a browser's program")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    pages, idles = measured(options)
    if options.json:
        plain = {"pages": [asdict(each) for each in pages], "idle": [asdict(i) for i in idles]}
        print(json.dumps(plain, indent=1))
        return
    print(f"{datetime.now(UTC):%Y-%m-%d}, {processor()}")
    print(table(pages))
    for each in idles:
        print(
            f"{each.trials:,} trials: an open Live progress takes {each.share:.1%} of a core "
            f"({each.seconds:.0f} s)"
        )
    if options.optuna_dashboard is None:
        print("optuna-dashboard is not installed: nothing stands beside it.")


if __name__ == "__main__":
    main()
