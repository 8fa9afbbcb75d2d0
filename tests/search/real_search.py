"""A search as a person runs it: real drivers on the command line, real workers, a real store."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from search.config import Config
from search.store import RunRecord, TrialRecord, open_store
from tests.search.small import values

_ROOT = Path(__file__).parents[2]
_WITH_TRAINING = """
import sys
from functools import partial
import search.cli.run
from search.cli.program import run_program
module = sys.modules["search.cli.run"]
module.run_study = partial(module.run_study, training=sys.argv[1])
sys.exit(run_program(sys.argv[2:]))
"""


@dataclass
class RealSearch:
    """One study and its drivers, which are started as `python -m search run CONFIG`.

    Attributes:
        folder: where everything lies.
        changes: fields of the small configuration that differ.
        training: entry point of a training in place of the real one.
        prefix: a command that starts the drivers, such as setpriv.
    """

    folder: Path
    changes: Mapping[str, Any] = field(default_factory=dict)
    training: str | None = None
    prefix: Sequence[str] = ()

    def __post_init__(self) -> None:
        places = {"store": str(self.folder / "tiny.db"), "checkpoints": str(self.checkpoints)}
        content = values(**places | self.changes)
        Config.from_dict(content)
        self.store = str(content["store"])
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(content))

    @property
    def checkpoints(self) -> Path:
        """The folder for those of all studies."""
        return self.folder / "checkpoints"

    def command(self, *words: str) -> list[str]:
        """What starts the program; without words, a new run of the study."""
        program = ["-m", "search"]
        if self.training is not None:
            program = ["-c", _WITH_TRAINING, self.training]
        given = words if words and not words[0].startswith("-") else ("run", "tiny.yaml", *words)
        return [*self.prefix, sys.executable, *program, *given]

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """A driver at work."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment(**environment),
            start_new_session=True,
        )

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A driver that has ended."""
        with self.start(*words, **environment) as driver:
            output, errors = driver.communicate()
        return subprocess.CompletedProcess(driver.args, driver.returncode, output, errors)

    @staticmethod
    def environment(**more: str) -> dict[str, str]:
        """That of the drivers, which find the program from every folder."""
        return os.environ | {"PYTHONPATH": str(_ROOT)} | more

    def trials(self) -> list[TrialRecord]:
        """Those of the study, by their numbers."""
        with open_store(self.store, create=False) as store:
            return store.trials.of_study(store.studies.get("tiny").id)

    def runs(self) -> list[RunRecord]:
        """Those of the study, the earliest first."""
        with open_store(self.store, create=False) as store:
            return store.runs.of_study(store.studies.get("tiny").id)

    def events(self) -> list[tuple[int, str, int | None]]:
        """What happened: id of the trial, kind, and number of the epoch."""
        with open_store(self.store, create=False) as store:
            history = store.studies.history(store.studies.get("tiny").id)
        return [(event.trial_id, str(event.kind), event.epoch) for event in history.events]

    def files(self, pattern: str) -> list[Path]:
        """Files beside the checkpoints."""
        return sorted(self.checkpoints.rglob(pattern))


def last_line(errors: str) -> str:
    """What a driver said last."""
    return errors.rstrip().splitlines()[-1]
