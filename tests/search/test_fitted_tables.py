"""Tables on terminals of every width: the telling columns are whole."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType

from search.cli import studies as studies_module
from search.cli.leaderboard_tables import leaderboard, operators_table
from search.query import BestRow, OperatorRank
from search.store import StudySummary, TrialState
from space.cli.tables import Column, FittedTable

WIDTHS = (50, 80, 120, 200)
LONG = "Dynamic Local-S MLP + Neighbourhood attention + Pyramid MS Conv."
ROW = BestRow(
    architecture_id="1b87e2f01286907c",
    accuracy=0.8695,
    params=1_160_000,
    macs=1_460_000,
    epochs=300,
    seconds=10.0,
    block_type="conv",
    depth=4,
    operators="DW-S Conv.",
    study="quickstart",
    trial=0,
    trial_id=1,
    state=TrialState.COMPLETE,
    origin="random",
    protocol_hash="0",
)
ROWS = [replace(ROW, operators=LONG, trial=i) for i in range(12)]
STUDY = StudySummary(
    id=1,
    name="imagenet-first",
    created=datetime.now(UTC),
    planned_trials=4000,
    searcher="random",
    scheduler="asha",
    protocol_hash="0",
    counts=dict.fromkeys(TrialState, 0) | {TrialState.COMPLETE: 1234},
    best_accuracy=0.8123,
    is_running=False,
    started=None,
    last_activity=datetime.now(UTC),
)


def printed(table: RenderableType, width: int) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(table)
    text = output.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    return text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("with_study", [False, True])
def test_leaderboard(width: int, with_study: bool) -> None:
    text = printed(leaderboard(ROWS, "Best", with_study=with_study), width)
    words = [*LONG.replace("+", "").split(), "#", "architecture", "accuracy", "token mixers"]
    for word in [*words, ROW.architecture_id, "86.95%", " 12 "]:
        assert word in f" {text}", word


def test_leaderboard_leaves_out_the_least_telling_first() -> None:
    def shown(width: int) -> set[str]:
        text = printed(leaderboard(ROWS, "Best"), width)
        return {name for name in ("params", "FLOPs", "epochs", "state") if name in text}

    assert shown(200) == shown(120) == {"params", "FLOPs", "epochs", "state"}
    assert shown(80) == {"params", "FLOPs"}
    assert shown(50) == set()


def test_short_mixers_leave_room_for_the_state() -> None:
    text = printed(leaderboard([ROW], "Best"), 80)
    assert "complete" in text
    assert "FLOPs" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_studies(width: int) -> None:
    text = printed(studies_module._table([replace(STUDY, exhausted="no points")]), width)
    for word in ("study", "state", "done", "best", STUDY.name, "exhausted", "1234/4000", "81.23%"):
        assert word in text, word
    assert ("last activity" in text) == (width >= 80)
    assert ("infeasible" in text) == (width >= 120)


def test_a_study_name_of_the_greatest_length() -> None:
    name = "".join(chr(97 + i % 26) for i in range(100))
    text = printed(studies_module._table([replace(STUDY, name=name)]), 50)
    *rows, caption = text.splitlines()[2:]
    assert "".join(line.split()[0] for line in rows) == name
    assert caption.strip() == "11 columns left out: too narrow here"
    assert "left out" not in printed(studies_module._table([STUDY]), 200)


@pytest.mark.parametrize("width", WIDTHS)
def test_operators(width: int) -> None:
    standing = OperatorRank(name="Dynamic Local-S MLP", rank=15, row=ROW, on_front=True)
    text = printed(operators_table([standing], 2600), width)
    for word in ("operator", "rank", "accuracy", "Dynamic Local-S MLP", "15 of 2600", "86.95%"):
        assert word in text, word
    assert ("not tried alone" in text) == (width >= 80)


def test_nothing_fits() -> None:
    columns = [Column("name", ["a" * 30], fold_to=10), Column("number", ["12"], right=True)]
    assert Console(width=8).measure(FittedTable(columns).fitted(8)).minimum > 0
