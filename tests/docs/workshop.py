"""A folder in which what the pages say is done: the configurations in small, pictures, a study.

Trials are trained for real, in this process in place of Ray's workers.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from search.cli.program import run_program
from search.driver.assignment import Report, plain_epoch
from search.driver.session import StudySession
from search.ray_executor.cluster import Cluster
from search.ray_executor.making import make_training
from search.ray_executor.watchdog import OnWatch
from search.runner import run as run_module
from search.store import open_store
from space.cli.program import run_program as run_space_program
from tests.docs.blocks import ROOT, Block, commands_of

STUDY = "quickstart"
IDS = ("3f2a", "93aa5e9f6acf2a58")
"""What the pages write for an architecture; here the best one."""

SMALL: dict[str, dict[str, Any]] = {
    "quickstart.yaml": {
        "trials": 4,
        "initial": [],
        "searcher": {"name": "random"},
        "scheduler": {"name": "asha", "grace_epochs": 1, "reduction_factor": 3},
    },
    "accuracy-and-cost.yaml": {"trials": 4, "random_baseline": 0.0, "initial": []},
    "own-images.yaml": {
        "trials": 2,
        "initial": [],
        "searcher": {"name": "random"},
        "scheduler": {"name": "none"},
    },
    "imagenet.yaml": {},
}
"""Fields of each configuration that make it small."""
SIZES = [
    (r"\brun quickstart\b", "run configs/quickstart.yaml"),
    (r"\brun\(\"quickstart\"", 'run("configs/quickstart.yaml"'),
    (r"\btrials=\d+", "trials=3"),
    (r"\btop=\d+", "top=1"),
    (r"--top \d+", "--top 1"),
    (r"seeds=3\b|\bseeds 3\b", lambda found: found[0].replace("3", "2")),
    (r"epochs=12\b", "epochs=2"),
    (r"\"epochs\": 12\b", '"epochs": 2'),
    (r"time_limit=\S+", "time_limit=60s"),
    (r"\bexport 3f2a\b", "export 3f2a --without onnx --without pt2"),
]
"""What is made smaller in the blocks before they run."""
ELSEWHERE = {
    "git": "clones the repository",
    "make": "tests/test_makefile.py makes the targets, and .ci/run the tests",
    "pip": "installs",
    "streamlit": "a server: tests/dashboard starts it",
    ".venv/bin/pre-commit": "installs a hook of git",
    ".ci/run": "runs all tests",
}
"""Commands that no page's block runs here, and why."""
ELSEWHERE_MODULES = {
    "docs": "tests/docs/test_examples.py runs it",
    "benchmarks": "hours; tests/benchmarks has its parts",
}
"""The same of modules that are run as programs."""


def train_here(session: StudySession, *_: Any) -> None:
    """In Ray's place: one trial after the other, really trained."""
    while (assignment := session.next_assignment()) is not None:
        number = assignment.trial.number
        session.started(number)
        training = make_training(assignment.to_config() | {"device": "cpu", "threads": 1})
        while True:
            epoch = training.run_epoch()
            report = Report((plain_epoch(epoch),), bool(training.done))
            if session.reported(number, report).stop or training.done:
                break
        session.ended(number, report)


def without_ray(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Runs train here, in no other process."""

    @contextmanager
    def connected(address: str | None, on_watch: OnWatch) -> Iterator[Cluster]:
        yield Cluster({"CPU": 2.0}, folder, local=True)

    monkeypatch.setattr(run_module, "connected_to_ray", connected)
    monkeypatch.setattr(run_module, "tune_session", train_here)


def furnish(folder: Path) -> None:
    """Fill an empty folder."""
    (folder / "configs").mkdir()
    shutil.copytree(ROOT / "configs" / "spaces", folder / "configs" / "spaces")
    for name, fields in SMALL.items():
        config = yaml.safe_load((ROOT / "configs" / name).read_text()) | fields
        config["protocol"] |= {"epochs": 2, "batch_size": 16, "warmup_epochs": 0.5}
        if config["data"]["name"] == "fashion-mnist":
            config["data"] |= {"limit_train": 48, "limit_validation": 40}
        (folder / "configs" / name).write_text(yaml.safe_dump(config))
    draw = np.random.default_rng(0)
    for part, number in {"train": 20, "val": 3}.items():
        for kind in ("cat", "dog", "horse"):
            place = folder / "photos" / part / kind
            place.mkdir(parents=True)
            for index in range(number):
                picture = draw.integers(0, 255, (48, 64, 3), dtype=np.uint8)
                Image.fromarray(picture).save(place / f"{index}.png")


def finished(folder: Path) -> Path:
    """An empty folder that is furnished, with a study that is done."""
    furnish(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        without_ray(monkeypatch, folder)
        assert run_program(["run", "configs/quickstart.yaml"]) == 0
    return folder


def forget_surroundings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """No store, no Ray and no cache of the person who tests."""
    for name in ("MIXSPACE_STORE", "MIXSPACE_STORES", "RAY_ADDRESS", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MIXSPACE_CACHE", str(folder / "cache"))


def best_id(folder: Path) -> str:
    """The id of the best architecture of the study that every page may speak of."""
    with open_store(str(folder / "mixspace.db"), create=False) as store:
        trials = store.trials.of_study(store.studies.get(STUDY).id)
    done = [trial for trial in trials if trial.state == "complete" and trial.accuracy is not None]
    return max(done, key=lambda trial: float(trial.accuracy or 0)).architecture_id


def smaller(text: str, best: str) -> str:
    """A block with small sizes and an id that there is."""
    for pattern, less in SIZES:
        text = re.sub(pattern, less, text)
    for id_ in IDS:
        text = re.sub(rf"\b{id_}\b", best, text)
    return text


def run_command(words: list[str]) -> int | None:
    """The exit code of a command; None of one that is not run here."""
    if words[0] == "export":
        os.environ.update(word.split("=", 1) for word in words[1:])
        return 0
    if words[0] == "python" and words[1].endswith(".py"):
        return subprocess.run([sys.executable, *words[1:]], check=False).returncode
    module = words[2].partition(".")[0] if words[:2] == ["python", "-m"] else None
    if words[0] == "mixspace" or module == "search":
        return run_program(words[1 if module is None else 3 :])
    if module == "space":
        return int(run_space_program(words[3:]))
    known = ELSEWHERE if module is None else ELSEWHERE_MODULES
    assert (module or words[0]) in known, f"nobody runs {words}"
    return None


def run_block(block: Block, names: dict[str, Any], best: str) -> None:
    """Run a block where the process is.

    Args:
        block: of Python or of shell.
        names: of the page's Python, the blocks before included.
        best: id of an architecture.
    """
    text = smaller(block.text, best)
    if block.file is not None:
        Path(block.file).write_text(text)
        return
    if block.language == "python":
        exec(compile(text, block.place, "exec"), names)
        return
    codes = [run_command(words) for words in commands_of(Block(block.page, block.line, "", text))]
    done = [code for code in codes if code is not None]
    assert all(code == 0 for code in done[:-1]), f"{block.place}: exit codes {codes}"
    if done:
        assert done[-1] == block.exit_code, f"{block.place}: exit codes {codes}"


@contextmanager
def page_module(name: str) -> Iterator[dict[str, Any]]:
    """The names of a page's Python, as a module that classes can be found in."""
    module = type(sys)(name)
    sys.modules[name] = module
    try:
        yield module.__dict__
    finally:
        del sys.modules[name]
