"""A real Streamlit server on a free port, and pages of a real browser that note every error."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Request, Response, sync_playwright
from playwright.sync_api import Page as Tab

from dashboard.navigation import PAGES, Page

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
Theme = Literal["light", "dark"]
FLAGS = (
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
)
CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
ERRORS = (
    '[data-testid="stException"]',
    '[data-testid="stAlertContentError"]',
    '[data-testid="stAlertContentWarning"]',
)
# Opened at /leaderboard, Streamlit's own script asks for its server below that path, then at /.
_LOOKS_ALIKE = 8
"""After so many looks that found the same fault, it is one."""
PROBES = re.compile(r"/[a-z-]+/_stcore/(health|host-config)$")
BUSY = (
    '[data-testid="stApp"]:not([data-test-script-state="notRunning"]), '
    '[data-testid="stStatusWidget"], [data-stale="true"], [data-testid="stSkeleton"], '
    '[data-testid="stSpinner"], '
    '[data-testid="stPlotlyChart"]:not(:has(svg.main-svg)), '
    '[data-testid="stDataFrame"]:not(:has(canvas))'
)
"""What the script works on, and what is announced and not drawn yet."""
RESTS = """([busy, frames, milliseconds]) => {
    const rests = document.querySelectorAll(busy).length === 0;
    window.restingFrames = rests ? (window.restingFrames ?? 0) + 1 : 0;
    if (window.restingFrames <= 1) window.restingSince = performance.now();
    const since = performance.now() - window.restingSince;
    return window.restingFrames >= frames && since >= milliseconds;
}"""
HOVERS = "plot => (plot._hoverdata ?? []).length > 0"
"""Plotly takes a click for the point it hovers."""


@contextmanager
def dashboard(stores: Sequence[Path], log: Path, *flags: str, folder: Path = ROOT) -> Iterator[str]:
    """`streamlit run dashboard` on stores; its URL. Ends exactly that process."""
    port = free_port()
    script = "dashboard" if folder == ROOT else str(ROOT / "dashboard")
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}", *flags]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"MIXSPACE_STORES": shlex.join(map(str, stores)), "PYTHONPATH": path}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *FLAGS],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(process, f"{url}/_stcore/health", log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until a server answers there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def listening_addresses(port: int) -> set[str]:
    """The addresses on which this machine listens on a port."""
    found = set()
    for family, file in ((socket.AF_INET, "tcp"), (socket.AF_INET6, "tcp6")):
        for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, listed = local.partition(":")
            if state == "0A" and int(listed, 16) == port:
                words = [address[start : start + 8] for start in range(0, len(address), 8)]
                packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
                found.add(socket.inet_ntop(family, packed))
    return found


def free_port() -> int:
    """Of this machine, as of now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=executable, args=list(CHROMIUM_FLAGS), headless=True
        )
        try:
            yield opened
        finally:
            opened.close()


class Visitor:
    """A tab of a browser on a dashboard.

    Attributes:
        store: the name of the store to look at, among those of the dashboard.
        complaints: errors of the console and of scripts, and requests that failed, since the last
            `check`.
    """

    store: str

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.context = browser.new_context(viewport={"width": 1440, "height": 1000})
        self.context.add_init_script(path=HERE / "painted_texts.js")
        self.page: Tab = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.complaints: list[str] = []
        self._turned_to: tuple[str, str] | None = None
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def _note(self, message: ConsoleMessage) -> None:
        where = str(message.location.get("url"))
        if message.type == "error" and not PROBES.search(where):
            self.complaints.append(f"{message.text} ({where})")

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # by a page that is left
            self.complaints.append(f"{request.failure} ({request.url})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not PROBES.search(response.url):
            self.complaints.append(f"{response.status} ({response.url})")

    def look(self, width: int = 1440, theme: Theme = "light") -> None:
        """Looks through a window of this width, by a browser that asks for this theme."""
        self.page.set_viewport_size({"width": width, "height": 1000})
        self.page.emulate_media(color_scheme=theme)

    def unreadable(self) -> list[str]:
        """What nobody can read on the page: cut off, one on the other, out of its box, or pale.

        What unfolds, or is painted anew, is looked at until it stays as it is.
        """
        look = (HERE / "legibility.js").read_text()
        found: list[str] = self.page.evaluate(look)
        same = 0
        while found and same < _LOOKS_ALIKE:
            self.page.wait_for_timeout(250)
            before, found = found, self.page.evaluate(look)
            same = same + 1 if found == before else 0
        return found

    def go(self, path: str, title: str) -> None:
        """Opens a page, as a link to it does, and waits until it is drawn."""
        self._turned_to = None
        mark = "&" if "?" in path else "?"
        self.page.goto(f"{self.url}/{path}{mark}store={self.store}")
        self.settle(title)

    def turn_to(self, page: Page, query: str = "") -> None:
        """Goes to a page of the store: through the menu, where the last one was reached so too."""
        if self._turned_to == (self.store, query):
            self.menu(page.title)
        else:
            self.go(("" if page is PAGES[0] else page.url_path) + query, page.title)
            self._turned_to = self.store, query

    def settle(self, title: str) -> None:
        """Waits until the page of this title is drawn and nothing works on it any more."""
        self.page.get_by_role("heading", name=title, exact=True).first.wait_for()
        self.rest()

    def rest(self) -> None:
        """Waits until nothing has worked on the page for some frames, and a quarter of a second.

        A change that waits to be sent (marks in a table do, some 150 ms) is seen so; frames too,
        as those of a loaded machine are slower.
        """
        self.page.evaluate("() => { window.restingFrames = 0; }")
        self.page.wait_for_function(RESTS, arg=[BUSY, 15, 250])

    def menu(self, title: str) -> None:
        """Goes to a page through the menu."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
        self.settle(title)

    def click_point(self, trace: int, chart: int = 0) -> None:
        """Clicks the middle of the first point of a trace of one of the page's charts."""
        plot = self.page.locator(".js-plotly-plot").nth(chart)
        point = plot.locator(".scatterlayer .trace").nth(trace).locator(".points path").first
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        plot.evaluate("plot => { plot._hoverdata = undefined; }")
        self.page.mouse.move(x, y)
        self.page.wait_for_function(HOVERS, arg=plot.element_handle())
        self.page.mouse.click(x, y)

    def mark_row(self, row: int) -> None:
        """Marks a row of the page's first table."""
        table = self.page.get_by_test_id("stDataFrame").first
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + 16, box["y"] + 35 * (row + 1) + 17)

    def parameter(self, name: str) -> str | None:
        """A query parameter of the URL that the browser shows."""
        values = urllib.parse.parse_qs(urllib.parse.urlsplit(self.page.url).query).get(name)
        return values[0] if values else None

    def check(self) -> None:
        """Nothing went wrong, neither on the screen nor in the console."""
        for selector in ERRORS:
            shown = self.page.locator(selector)
            assert shown.count() == 0, shown.first.inner_text()
        assert not self.complaints, self.complaints
        self.complaints.clear()

    def leave(self) -> None:
        """Leaves the dashboard, whose pages of a running study ask the server again and again."""
        self._turned_to = None
        self.page.goto("about:blank")

    def close(self) -> None:
        """Closes the page."""
        self.context.close()
