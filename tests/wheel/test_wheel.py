"""What is published: built as for a release, installed, and used without the checkout.

It starts Ray, so its file counts among those with pytest.mark.ray.
"""

import json
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.wheel.building import (
    PACKAGES,
    ROOT,
    Built,
    Environment,
    borrowing_environment,
    build,
    checked,
    clean_environment,
    empty_environment,
    install,
)
from tests.wheel.notebooks import NOTEBOOK, check, code_cells, execute

pytestmark = [pytest.mark.ray, pytest.mark.thorough]

THEIRS = "raise RuntimeError('a module of the user was imported')\n"
TINY = ("--set", "trials=2", "--set", "scheduler=none", "--set", "protocol.epochs=1")
TINY += ("--set", "protocol.warmup_epochs=0", "--set", "data.limit_train=400")
TINY += ("--set", "data.limit_validation=200")
SMALL = """trials = 2
changes = {
    "protocol": {"epochs": 1, "warmup_epochs": 0},
    "scheduler": "none",
    "data": {"limit_train": 400, "limit_validation": 200},
    "resources": {"concurrent_trials": 1},
}"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = borrowing_environment(tmp_path_factory.mktemp("environment") / "env")
    install(environment, "--no-deps", "--no-index", built.wheel)
    return environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a person works, who calls modules as our packages are called, but for `search`."""
    for name in ("space.py", "dashboard.py"):
        (tmp_path / name).write_text(THEIRS)
    (tmp_path / "trainers").mkdir()
    (tmp_path / "trainers" / "__init__.py").write_text(THEIRS)
    return tmp_path


def modules(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for package in PACKAGES
        for path in (folder / package).rglob("*.py")
    }


def test_both_have_all_that_the_program_reads_and_no_tests(built: Built) -> None:
    sdist, wheel = built.in_sdist(), built.in_wheel()
    configs = {str(path.relative_to(ROOT)) for path in (ROOT / "configs").rglob("*.yaml")}
    needed = modules(ROOT) | {f"{package}/py.typed" for package in PACKAGES}
    embedded = (ROOT / "trainers" / "data" / "embedded").iterdir()
    needed |= {str(path.relative_to(ROOT)) for path in embedded}
    needed |= {"dashboard/.streamlit/config.toml"}
    needed |= {f"space/operators/{name}/native.cpp" for name in ("depthwise", "neighbourhood")}
    assert any("migrations/versions" in name for name in needed)
    assert needed | configs <= sdist
    assert {*wheel} - {name for name in wheel if ".dist-info/" in name} == needed | {
        f"mixspace/{name}" for name in configs
    }
    for name in configs:
        assert wheel[f"mixspace/{name}"] == (ROOT / name).read_bytes()
    assert not {name.partition("/")[0] for name in sdist} & {"tests", "benchmarks", ".ci", "build"}
    assert "docs/notebooks/first_search.ipynb" in sdist


def test_the_metadata_say_what_it_is(built: Built) -> None:
    wheel = built.in_wheel()
    (name,) = (name for name in wheel if name.endswith("/METADATA"))
    told = message_from_bytes(wheel[name])
    assert told["Name"] == "mixspace"
    assert told["License-Expression"] == "MIT"
    assert told["Description-Content-Type"] == "text/markdown"
    assert told.get_payload(decode=True) == (ROOT / "README.md").read_bytes()
    licences = told.get_all("License-File") or []
    for file in licences:
        assert wheel[name.replace("METADATA", f"licenses/{file}")] == (ROOT / file).read_bytes()
    assert {*licences} == {"LICENSE", "trainers/data/embedded/LICENSE.txt"}
    assert {"notebook", "test"} <= {*(told.get_all("Provides-Extra") or [])}
    assert "Typing :: Typed" in (told.get_all("Classifier") or [])


def test_an_editable_install_is_one_path_file(built: Built, tmp_path: Path) -> None:
    """Packages that are added later, and the benchmarks, are seen without installing again."""
    code = f"from setuptools import build_meta; build_meta.build_editable({str(tmp_path)!r})"
    source = tmp_path / "source"
    source.symlink_to(built.source)
    checked([sys.executable, "-c", code], source)
    (wheel,) = tmp_path.glob("*.whl")
    names = {*Built(wheel, wheel, source).in_wheel()}
    (path_file,) = (name for name in names if ".dist-info/" not in name)
    assert path_file.endswith(".pth")


def test_the_program_is_the_installed_one(installed: Environment, folder: Path) -> None:
    code = "import mixspace, search, space; print(mixspace.__file__, search.__file__)"
    found = checked([installed.python, "-P", "-c", code], folder).split()
    assert all(Path(file).is_relative_to(installed.packages) for file in found)
    code = "import importlib.util as u; print(u.find_spec('benchmarks'), u.find_spec('tests'))"
    assert checked([installed.python, "-P", "-c", code], folder).split() == ["None", "None"]
    assert "Search the design space" in checked([installed.program, "--help"], folder)
    version = checked([installed.python, "-m", "mixspace", "--version"], folder)
    assert version.strip() == "mixspace, version 0.1.0"
    counted = checked([installed.program, "space", "count", "fashion-quickstart"], folder)
    assert "networks" in counted


def test_a_search_of_the_users_is_not_taken_for_ours(installed: Environment, folder: Path) -> None:
    (folder / "search.py").write_text(THEIRS)
    commands: list[list[str | Path]] = [
        [installed.program],
        [installed.python, "-m", "mixspace"],
        [installed.python, "-P", "-m", "search"],
    ]
    for command in commands:
        shown = checked([*command, "space", "zoo", "--json"], folder)
        assert json.loads(shown)
    code = "import mixspace; print(mixspace.DesignSpace.from_yaml('fashion-quickstart').count())"
    assert int(checked([installed.python, "-c", code], folder)) > 0
    # Ray's workers look in the working folder, so a run is refused before it begins.
    checked([installed.program, "run", "quickstart", *TINY], folder, code=2)
    assert not (folder / "mixspace.db").exists()


def test_the_notebook_is_stored_without_outputs() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    cells = code_cells(notebook)
    assert len(cells) == 10
    for cell in cells:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


def test_the_notebook_goes_from_the_import_to_a_network(
    installed: Environment, folder: Path
) -> None:
    """And the command line takes the study up, by the same name of the configuration."""
    check(execute(installed, folder, SMALL), trials=2)
    run = [installed.program, "run", "quickstart", "--study", "first-search", "--resume"]
    report = json.loads(checked([*run, "--json", *TINY], folder))
    assert (report["study"], report["exit_code"]) == ("first-search", 0)


def test_the_dashboard_starts(installed: Environment, folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = ["dashboard", "--store", "a b.db", "--", "--server.port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [installed.program, *words],
            cwd=folder,
            env=clean_environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        assert _health(server, port) == b"ok", (folder / "log").read_text()
        environment = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
        assert f"MIXSPACE_STORES={shlex.quote('a b.db')}".encode() in environment
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0
    finally:
        server.kill()
        server.wait()


def _health(server: "subprocess.Popen[bytes]", port: int) -> bytes:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                return bytes(answer.read())
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return b""


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_an_empty_environment_has_all_it_needs_from_the_wheel(built: Built, tmp_path: Path) -> None:
    """Everything from a registry: minutes, and gigabytes where torch is the build for GPUs."""
    environment = empty_environment(tmp_path / "env")
    pins = ["-c", ROOT / "constraints.txt"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    (torch,) = (line for line in lines if line.startswith("torch=="))
    install(environment, *pins, torch, seconds=1200)
    install(environment, *pins, built.wheel, seconds=1200)
    report = checked([environment.program, "run", "quickstart", "--json", *TINY], tmp_path)
    assert json.loads(report)["study"] == "quickstart"
    install(environment, *pins, f"{built.wheel}[notebook]", "nbclient", seconds=600)
    check(execute(environment, tmp_path, SMALL), trials=2)
