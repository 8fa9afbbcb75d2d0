"""Everything that the commands print on one small store, to the letter.

Trials are played, so that the same is printed on every machine; moments, durations and places are
left out. When what is printed is meant to change, look at the difference and write it anew:

    MIXSPACE_TRANSCRIPT=write python -m pytest tests/search/cli/test_transcript.py
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.cli.program import run_program
from search.query import best
from search.store import open_store
from tests.support.played_studies import check_written, configured

TRANSCRIPT = Path(__file__).with_name("transcript.txt")
LEFT_OUT = [
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d| UTC)?", "MOMENT"),
    (r"20\d\d-\d\d-\d\d", "DAY"),
    (r"(\d+(\.\d+)? (s|min|h|d)\b ?)+", "SO LONG "),
    (r'"(uid|code_version)": "[^"]*"', r'"\1": "LEFT OUT"'),
    (r"(\d\.\d{6})\d+", r"\1"),
    (r"-[0-9a-f]{12}(?=[/\s])", "-UID"),
    (r"([ ─━])\1+", r"\1"),  # how wide a column is goes by the durations in it
]


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
    configured(tmp_path, monkeypatch)
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", 300)
    check_written("\n\n".join(printed(each, capsys) for each in commands()) + "\n", TRANSCRIPT)
