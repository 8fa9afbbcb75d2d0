"""Everything that the commands print on one small store, to the letter.

Trials are played, so that the same is printed on every machine; moments, durations and places are
left out. When what is printed is meant to change, look at the difference and write it anew:

    MIXSPACE_TRANSCRIPT=write python -m pytest tests/search/cli/test_transcript.py
"""

import difflib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.program import run_program
from search.driver import latency_plan
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.query import best
from search.runner import run as run_module
from search.store import open_store
from tests.search.driving import accuracy, train
from tests.search.small import SPACE, values
from tests.search.without_ray import in_place_of_ray
from tests.support.made_up_meter import MadeUpMeter
from trainers import Cause, Failure

TRANSCRIPT = Path(__file__).with_name("transcript.txt")
EPOCHS = 4
SEARCH: dict[str, Any] = {
    "study": "evolved",
    "space": SPACE | {"block_type": ["conv", "prenorm"]},
    "searcher": {"name": "evolution", "population": 6, "tournament": 3},
    "scheduler": {"name": "asha", "grace_epochs": 2, "reduction_factor": 3},
    "protocol": {"epochs": EPOCHS, "batch_size": 50, "warmup_epochs": 0.5},
    "initial": ["named"],
    "random_baseline": 0.5,
    "trials": 40,
    "seed": 3,
}
FRONT = SEARCH | {
    "study": "front",
    "searcher": {"name": "random"},
    "scheduler": {"name": "none"},
    "objectives": {"validation_accuracy": "maximise", "macs": "minimise"},
    "constraints": {"params": {"at_most": 9_000}},
    "random_baseline": 0.0,
    "initial": [],
    "trials": 14,
}
QUICK = values(study="quick", trials=8, latency={"device": "cpu", "at_most": "1 ms", "networks": 6})

LEFT_OUT = [
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d| UTC)?", "MOMENT"),
    (r"20\d\d-\d\d-\d\d", "DAY"),
    (r"\d+(\.\d+)?(?= (s|seconds|min|minutes|h)\b)", "N"),
    (
        r'"(id|uid|code_version|host|pid|process_started|python|torch|platform)": [^,\n]+',
        r'"\1": X',
    ),
    (r"([ ─━])\1+", r"\1"),  # how wide a column is goes by the durations in it
]


def played(session: StudySession, *others: Any) -> None:
    """Every architecture has a curve of its own; one trial in seven breaks off."""
    while (assignment := session.next_assignment()) is not None:
        number, id_ = assignment.trial.number, assignment.architecture.id
        if number % 7 == 5:
            session.started(number)
            failure = Failure(Cause.CODE, f"KeyError: {number}", infeasible=number % 2 == 0)
            session.ended(number, Report(failure=failure))
            continue
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text(f"weights of {id_}")
        epochs = assignment.settings["protocol"]["epochs"]
        train(session, assignment, [accuracy(id_, each) for each in range(1, epochs + 1)])


def commands() -> Iterator[str]:
    """What is called, in its order; some ask for networks by what came before."""
    yield "run evolved.yaml"
    yield "run evolved.yaml"
    yield "run evolved.yaml --resume --set trials=44"
    yield "run front.yaml"
    yield "run quick.yaml"
    yield "studies"
    yield "studies --json"
    yield "best --top 5"
    yield "best --study evolved --sort params --top 2 --json"
    yield "best --study front --pareto"
    yield "best --where 'params < 8k and any kernel = 5' --study evolved"
    yield "best --where 'parms < 8k'"
    yield "best --study evolved --explain"
    first, second, third = best_of("evolved")
    yield f"show {first}"
    yield f"show {second} --json"
    yield f"compare {first} {second} {third}"
    yield f"compare {first} {third} --json"
    yield f"tag {first} 'to ship'"
    yield f"note {first} 'as it is'"
    yield "failures"
    yield "failures --json"
    yield "effects evolved"
    yield "fidelity evolved"
    yield "fidelity evolved --json"
    yield "latency show"
    yield "latency check quick"
    yield f"latency check {first}"
    yield "repeat evolved --top 2 --seeds 2"
    yield "continue evolved --trials 50"
    yield "continue evolved --pruned 2"
    yield "continue evolved --failed"
    yield f"retrain {first} {second} --seeds 2 --study evolved --set protocol.epochs=5"
    yield f"show {first}"
    yield "best --top 3"
    yield "delete front --yes"
    yield "studies"


def best_of(study: str) -> list[str]:
    with open_store("a.db", create=False) as store:
        return [row.architecture_id for row in best(store, study=study, top=3)]


def printed(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """A command, its exit code, and what it wrote to either stream."""
    code = run_program([*shlex.split(command), "--store", "a.db"])
    found = capsys.readouterr()
    text = f"$ {command}\n{found.out}--- {code}\n{found.err}\n"
    text = text.replace(str(Path.cwd()), "FOLDER")
    for pattern, word in LEFT_OUT:
        text = re.sub(pattern, word, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_commands_print_what_they_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_place_of_ray(monkeypatch, tmp_path)
    monkeypatch.setattr(run_module, "tune_session", played)
    monkeypatch.setattr(latency_plan, "MeterProcess", MadeUpMeter.fresh())
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", 110)
    monkeypatch.chdir(tmp_path)
    for study in (SEARCH, FRONT, QUICK):
        Path(f"{study['study']}.yaml").write_text(yaml.safe_dump(values(**study)))
    transcript = "\n\n".join(printed(each, capsys) for each in commands()) + "\n"
    if os.environ.get("MIXSPACE_TRANSCRIPT") == "write":
        TRANSCRIPT.write_text(transcript)
    expected = TRANSCRIPT.read_text().splitlines()
    assert transcript.splitlines() == expected, "\n".join(
        difflib.unified_diff(expected, transcript.splitlines(), "before", "now", lineterm="")
    )
