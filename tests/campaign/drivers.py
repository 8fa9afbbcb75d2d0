"""The drivers of one study: `python -m search run ... --resume`, again until it says done."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.processes import Process

MARK = "MIXSPACE_CAMPAIGN_STUDY"
_ROOT = Path(__file__).parents[2]
_TRACEBACK = re.compile(
    r"Traceback \(most recent call last\)|Fatal Python error|\*\*\* SIG[A-Z]+ received|"
    r"StackTrace Information|Check failed|terminate called"
)
_HOW_TO_GO_ON = re.compile(r"To go on: .*--resume|To go on, run the same command again")


@dataclass
class Driver:
    """One process that was started, and what it has said.

    Attributes:
        process: itself.
        errors: the file with its stderr.
        hit: what was done to it and to what is below it.
    """

    popen: "subprocess.Popen[bytes]"
    process: Process
    errors: Path
    hit: list[str] = field(default_factory=list)

    @property
    def code(self) -> int | None:
        """Its exit code, negative after a signal; None while it runs."""
        return self.popen.poll()

    @property
    def said(self) -> str:
        """All of its stderr."""
        return self.errors.read_text(errors="replace")

    @property
    def starts_ray(self) -> bool:
        """Whether it has come so far as to start a Ray."""
        return "Starting Ray" in self.said

    @property
    def has_traceback(self) -> bool:
        """Whether it has shown a stack, of Python or of C++."""
        return _TRACEBACK.search(self.said) is not None

    @property
    def ended_silently(self) -> bool:
        """Whether it was not done, and the last that was said is not how to go on."""
        lines = self.said.rstrip().splitlines()
        return self.code != 0 and not (lines and _HOW_TO_GO_ON.search(lines[-1]))


def start_driver(folder: Path, number: int, mark: str) -> Driver:
    """Start a driver for the study of a folder, as its leader of a process group of its own.

    Args:
        folder: with `study.yaml`; also its working folder.
        number: of the driver, from 1.
        mark: by which the processes below it are known.
    """
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    errors = folder / f"driver-{number:02d}.stderr"
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    own = {"PYTHONPATH": path, "TMPDIR": str(temporary), "OMP_NUM_THREADS": "1", MARK: mark}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with errors.open("wb") as stderr, errors.with_suffix(".stdout").open("wb") as stdout:
        popen = subprocess.Popen(
            [sys.executable, "-m", "search", "run", "study.yaml", "--resume"],
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env=kept | own,
            start_new_session=True,
        )
    process = Process.of(popen.pid)
    assert process is not None, "it is not collected before its Popen is asked"
    return Driver(popen, process, errors)
