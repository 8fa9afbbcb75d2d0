"""The page of errors shows messages as they are: each is provoked, and compared with the page."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import mixspace
from search.cli.program import run_program
from search.ray_executor.connection import connected_to_ray
from search.ray_executor.ray_start import ray_settings
from search.ray_executor.watchdog import new_session_folder
from search.store import open_store
from space.design.feasible import counting
from space.errors import InputError
from tests.docs.blocks import ROOT
from tests.docs.workshop import STUDY, best_id
from tests.support.samples import begin_run
from trainers import classify, lock_test_split, open_test_split

PAGE = ROOT / "docs" / "errors.md"
QUICK, OWN = "configs/quickstart.yaml", "configs/own-images.yaml"
PHOTOS = ("--set", "data.folder=photos", "--set", "space.classes=3")
WILD = {
    "…": r"(?s:.+)",
    "N": r"[\d,]+",
    "FOLDER": r"\S+",
    "HOST": r"\S+",
    "ID": r"(?:\d+-)?\w{16}",
    "DATE": r"\d{4}-\d\d-\d\d \d\d:\d\d",
}

COMMANDS: dict[str, tuple[str, ...]] = {
    "A field that there is not": ("run", QUICK, "--study", "a", "--set", "trails=3"),
    "Several problems at once": (
        *("run", QUICK, "--study", "a", "--set", "trials=many", "--set", "protocol.epochs=0"),
    ),
    "A searcher that there is not": ("run", QUICK, "--study", "a", "--set", "searcher=grid"),
    "No configuration there": ("run", "searches/mine.yaml"),
    "The study is there already": ("run", QUICK),
    "The study was made by another protocol": (
        *("run", QUICK, "--resume", "--set", "protocol.epochs=3"),
    ),
    "No store there": ("best", "--store", "nothing.db"),
    "No such study": ("best", "--study", "quikstart"),
    "The file is no store": ("best", "--store", "notes.db"),
    "A database of another kind": ("best", "--store", "mysql://u:p@h/d"),
    "Nothing to continue": ("continue", STUDY, "--failed"),
    "No such architecture": ("show", "ffff"),
    "A clause that is not understood": ("best", "--where", "params < 200k and colour = red"),
    "A space without a network": (
        *("run", QUICK, "--study", "a", "--set", "space.limits.params=100"),
    ),
    "A metric that nobody measures": (
        *("run", QUICK, "--study", "a", "--set", "constraints={latency: 3}"),
    ),
    "No network of that name": ("space", "show", "swin"),
    "No folder of images": (
        *("run", OWN, "--set", "data.folder=nowhere", "--set", "space.classes=3"),
    ),
    "Another number of classes": (
        *("run", OWN, "--set", "data.folder=photos", "--set", "space.classes=4"),
    ),
    "Another size": ("run", OWN, *PHOTOS, "--set", "protocol.augmentation.image_size=96"),
    "A broken picture": ("run", OWN, *PHOTOS),
    "The GPU is not there": (
        *("run", QUICK, "--study", "a", "--set", "resources.gpus_per_trial=1"),
    ),
    "Part of a second GPU": (
        *("run", QUICK, "--study", "a", "--set", "resources.gpus_per_trial=1.5"),
    ),
    "A batch that processes cannot share": (
        *("run", QUICK, "--study", "a", "--set", "protocol.batch_size=50"),
        *("--set", "resources.processes_per_trial=4"),
    ),
}
"""What a person types."""


def entries() -> dict[str, str]:
    """The message of each heading."""
    found = re.findall(r"^### ([^\n]+)\n\n```text\n(.+?)\n```", PAGE.read_text(), re.M | re.S)
    return dict(found)


def compare(title: str, said: str) -> None:
    """The words of the page, but for what its first lines say may differ."""
    words = "|".join(rf"\b{word}\b" if word.isalpha() else word for word in WILD)
    parts = re.split(f"({words})", entries()[title])
    wanted = "".join(WILD.get(part, re.escape(part)) for part in parts)
    assert re.fullmatch(wanted, said), f"{title}:\n{said}"


@pytest.mark.parametrize("title", COMMANDS)
def test_a_command_says_what_the_page_has(
    title: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "notes.db").write_text("no database at all, only words. " * 20)
    if title == "A broken picture":
        (folder / "photos" / "train" / "cat" / "0.png").write_bytes(b"no picture")
    capsys.readouterr()
    assert run_program([*COMMANDS[title]]) == 2
    said = capsys.readouterr().err
    compare(title, said[said.index("error: ") :].strip())


def named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def weights_gone(folder: Path) -> str:
    changes = {"trials": 1, "protocol": {"epochs": 1}, "checkpoints": "elsewhere"}
    study = mixspace.run(QUICK, study="short", progress=False, **changes)
    shutil.rmtree(folder / "elsewhere")
    with pytest.raises(InputError) as error:
        study.load()
    return named(error.value)


def at_work(folder: Path) -> str:
    with open_store(str(folder / "mixspace.db"), create=False) as store:
        run = begin_run(store, store.studies.get(STUDY).id)
        with pytest.raises(InputError) as error:
            mixspace.run(QUICK, resume=True, trials=9, progress=False)
        store.runs.end(run.id, "of a test")
    return f"error: {error.value}"


def too_large(folder: Path) -> str:
    space = mixspace.DesignSpace.from_yaml("configs/spaces/fashion-first-search.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MOST_CORNERS", 10)
        with pytest.raises(mixspace.SpaceTooLarge) as error:
            space.count()
        assert space.contains(space.sample(1, seed=0)[0])  # as the page says
    return named(error.value)


def locked(folder: Path) -> str:
    config = mixspace.Study(STUDY).config
    with lock_test_split(), pytest.raises(mixspace.TestSplitLocked) as error:
        open_test_split(
            config.data,
            config.protocol,
            architecture_id=best_id(folder),
            record=lambda reading: None,
        )
    return named(error.value)


def out_of_memory(folder: Path) -> str:
    with pytest.raises(RuntimeError) as error:
        torch.empty(10**16)
    found = classify(error.value)
    assert found.infeasible
    return found.reason


def disk_full(folder: Path) -> str:
    with pytest.raises(OSError) as error, open("/dev/full", "w") as full:  # noqa: PTH123
        full.write("x" * 100_000)
    found = classify(error.value)
    assert "--set checkpoints=FOLDER" in found.advice
    return found.reason


def answer_lost(folder: Path) -> str:
    command = [sys.executable, "-m", "search", "methods"]
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT
        )
    assert done.returncode == 1
    return done.stderr.strip()


def no_place(folder: Path) -> str:
    """A short path: those of sockets must not be long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", f"/tmp/none-{os.getpid()}")
        with pytest.raises(InputError) as error:
            new_session_folder()
    return f"error: {error.value}"


def refused_by_ray(address: str) -> str:
    with pytest.raises(InputError) as error, connected_to_ray(address):
        pass
    return f"error: {error.value}"


def nobody_there(folder: Path) -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return refused_by_ray(f"127.0.0.1:{port}")


def no_token(folder: Path) -> str:
    settings = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": None,
        "RAY_AUTH_TOKEN_PATH": str(folder / "none"),
    }
    with socket.socket() as listener, ray_settings(settings):
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        return refused_by_ray(f"127.0.0.1:{listener.getsockname()[1]}")


def port_taken(folder: Path) -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "streamlit", "run", "dashboard", "--server.headless=true"]
        done = subprocess.run(
            [*command, "--server.port", port], capture_output=True, text=True, check=False, cwd=ROOT
        )
    assert done.returncode == 1
    return re.sub(r"^.*(?=Port )", "", (done.stdout + done.stderr).strip())


PROVOKED: dict[str, Callable[[Path], str]] = {
    "Somebody works on the study": at_work,
    "The weights are gone": weights_gone,
    "A space that cannot be counted": too_large,
    "The test images are locked": locked,
    "A trial has not enough memory": out_of_memory,
    "The disk is full": disk_full,
    "An answer that cannot be written": answer_lost,
    "No place for Ray's files": no_place,
    "No Ray at the address": nobody_there,
    "No address": lambda folder: refused_by_ray("frobnicate"),
    "A token is asked for (401)": no_token,
    "The dashboard's port is taken": port_taken,
}


@pytest.mark.parametrize("title", PROVOKED)
def test_what_happens_is_said_as_the_page_has_it(title: str, folder: Path) -> None:
    compare(title, PROVOKED[title](folder))


def test_every_message_of_the_page_is_provoked() -> None:
    assert entries().keys() == {*COMMANDS, *PROVOKED}
    assert len(entries()) > 12
