"""Everything that the commands print on one small store, to the letter, and all that it holds then.

Trials are played, so that the same is printed on every machine; moments, durations and places are
left out. When it is meant to change, look at the difference and write it anew:

    MIXSPACE_TRANSCRIPT=write python -m pytest tests/search/cli/test_transcript.py
"""

import json
import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from search.cli.program import run_program
from search.query import best
from search.store import open_store
from tests.support.played_studies import check_written, configured

TRANSCRIPT = Path(__file__).with_name("transcript.txt")
ROWS = Path(__file__).with_name("rows.txt")
MOMENTS = {"created", "started", "ended", "heartbeat"}
OF_THE_MACHINE = {
    "host",
    "pid",
    "process_started",
    "boot_id",
    "pid_namespace",
    "start_ticks",
    "machine",
    "code_version",
    "uid",
    "boot",
}
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
    yield "run warm.yaml"
    yield "run by-median.yaml"
    yield "studies"
    yield "studies --json"
    yield "best --top 5"
    yield "best --study evolved --sort params --top 2 --json"
    yield "best --study front --pareto"
    yield "best --study front --pareto --json"
    yield "best --study quick --json --top 1"
    yield "best --where 'params < 8k and any kernel = 5' --study evolved"
    yield "best --where 'parms < 8k'"
    yield "best --study evolved --explain"
    yield "best --where 'seconds < 3600 and not any kernel = 3' --study evolved --explain --json"
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
    yield "latency show --json"
    yield "latency check quick"
    yield "latency check quick --json --top 2"
    yield f"latency check {first}"
    yield "latency build quick.yaml --json"
    yield "run quick.yaml --resume --set trials=9 --json"
    yield "repeat evolved --top 2 --seeds 2"
    yield "continue evolved --trials 50"
    yield "continue evolved --pruned 2"
    yield "continue evolved --failed"
    yield f"retrain {first} {second} --seeds 2 --study evolved --set protocol.epochs=5"
    yield f"show {first}"
    yield "effects evolved evolved-retrained --where 'accuracy > 5%'"
    yield "effects evolved --axis kernel_size"
    yield "effects evolved --axis edges --json"
    yield "fidelity evolved --full evolved-retrained --all"
    yield "best --top 3"
    yield f"retrain {third} --seeds 1 --study evolved --set protocol.epochs=5 --json"
    yield f"tag {first} 'to ship' --remove"
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


def rows(path: Path) -> Iterator[str]:
    """Every row of a store, table by table, in the order of its keys."""
    with closing(sqlite3.connect(path)) as connection:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        for (table,) in connection.execute(named).fetchall():
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            keys = [f'"{column[1]}"' for column in sorted(columns, key=lambda c: c[5]) if column[5]]
            order = f" ORDER BY {', '.join(keys)}" if keys else ""
            yield f"# {table}: {', '.join(column[1] for column in columns)}"
            found = connection.execute(f"SELECT * FROM {table}{order}").fetchall()
            for row in found:
                pairs = zip(columns, row, strict=True)
                yield "  ".join(kept(column[1], value) for column, value in pairs)


def kept(name: str, value: Any) -> str:
    """What of a value is the same on every machine."""
    if name in OF_THE_MACHINE or (name in MOMENTS and value is not None):
        return "-" if value is None else "set"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and value[:1] in ("{", "["):
        return json.dumps(without_machine(json.loads(value)), sort_keys=True)
    return "-" if value is None else " ".join(str(value).replace(str(Path.cwd()), "FOLDER").split())


def without_machine(value: Any) -> Any:
    """JSON without what differs between machines, and with shorter numbers."""
    match value:
        case dict():
            return {
                key: "set" if key in OF_THE_MACHINE else without_machine(each)
                for key, each in value.items()
            }
        case list():
            return [without_machine(each) for each in value]
        case float():
            return float(f"{value:.6g}")
        case str():
            text = value.replace(str(Path.cwd()), "FOLDER")
            return re.sub(r"-[0-9a-f]{12}(?=$|[/\s])", "-UID", text)
    return value


def test_commands_print_what_they_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path, monkeypatch)
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", 300)
    text = "\n\n".join(printed(each, capsys) for each in commands()) + "\n"
    held = "\n".join(rows(tmp_path / "a.db")) + "\n"
    check_written(text, TRANSCRIPT)
    check_written(held, ROWS)
