"""The importance of axes by what stores and tables have, as it is printed and drawn."""

import json
from pathlib import Path

import numpy as np
import pytest

import mixspace
from search.cli.program import run_program
from search.query import AxisShare, StudyImportance, study_importance, table_importance
from search.store import Store, StudyRecord
from search.visualization.shares_figure import shares_figure
from tests.query.curves import study_of
from tests.query.test_study_effects import DW, DYNAMIC, TABLE, train
from tests.search.test_effects import BLOCKS, network


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


def search(store: Store, study: StudyRecord, count: int = 36, worth: float = 0.03) -> None:
    """Networks without pairs, as a search leaves them; pre-normalised ones are better."""
    rng = np.random.default_rng(0)
    for width in range(16, 16 + 4 * count, 4):
        block = BLOCKS[rng.integers(3)]
        mixer = (DW, DYNAMIC)[rng.integers(2)]
        text = network(mixer, block_type=block, depth=int(rng.integers(1, 4)), width=width)
        accuracy = 0.6 + worth * (block == "prenorm") + 0.004 * rng.normal()
        train(store, study, text, accuracy)


def named(found: StudyImportance, axis: str) -> AxisShare:
    return next(each for each in found.shares.axes if each.axis == axis)


def test_a_search_tells_which_axis_matters_of_each_protocol_apart(store: Store) -> None:
    search(store, study_of(store, "a"))
    search(store, study_of(store, "b", 9), worth=0.0)
    one, other = study_importance(store, ["a", "b"])
    assert (one.studies, other.studies) == (("a",), ("b",))
    assert one.shares.axes[0].axis == "block type"
    assert one.shares.axes[0].verdict == "matters"
    assert one.shares.axes[0].low > 0.5
    assert named(one, "locality").verdict == "the same throughout"
    assert named(one, "dynamics").verdict.startswith(("cannot tell", "explains no more"))
    assert not any("matters" in each.verdict for each in other.shares.axes)
    assert "over 36 networks" in one.notes[0]
    assert "none has it for certain" in one.notes[1]


def test_a_clause_leaves_networks_out_and_too_few_are_said(store: Store) -> None:
    search(store, study_of(store, "s"))
    (found,) = study_importance(store, ["s"], where="block_type != prenorm")
    assert found.shares.networks < 36
    assert "by the clause" in found.notes[0]
    (few,) = study_importance(store, ["s"], where="depth = 3")
    assert f"{few.shares.networks} networks cannot tell the importance" in few.notes[1]
    assert shares_figure(few.shares) is None
    (none,) = study_importance(store, ["s"], where="depth = 9")
    assert none.shares.networks == 0


def test_a_network_counts_once_with_the_mean_of_its_trainings(store: Store) -> None:
    study = study_of(store, "s")
    search(store, study)
    (before,) = study_importance(store, ["s"])
    text = network(DW, block_type="prenorm", width=400)
    for seed, accuracy in enumerate((0.53, 0.63, 0.73)):
        train(store, study, text, accuracy, seed=seed)
    (after,) = study_importance(store, ["s"])
    assert (before.shares.networks, after.shares.networks) == (36, 37)
    assert named(after, "block type").share > 0.7  # of 0.53 or 0.73 it would be far less


def test_the_table_of_the_project_has_an_order() -> None:
    found = table_importance(TABLE)
    assert [each.axis for each in found.shares.axes[:2]] == ["dynamics", "sharing"]
    assert found.shares.networks == 1176
    assert named(found, "MLP ratio").verdict.startswith("matters little: no more than 0.")
    page = (TABLE.parents[2] / "docs" / "effects.md").read_text()
    for each in found.shares.axes:
        if each.share == each.share:
            interval = f"[{100 * each.low:.1f}, {100 * each.high:.1f}]"
            figures = f"{100 * each.share:.1f} {interval} | {100 * each.alone:.1f}"
            assert f"| {each.axis} | {figures} | {each.verdict} |" in page


def test_the_command_prints_it_below_the_effects(
    store: Store, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    search(store, study_of(store, "s"))
    assert run_program(["effects", "s", "--store", store_url]) == 0
    out, err = capsys.readouterr()
    assert out.index("relation graph") < out.index("Importance of the axes")
    assert "block type" in out
    assert "explain" in err
    assert run_program(["effects", "s", "--store", store_url, "--axis", "edges"]) == 0
    assert "Importance" not in capsys.readouterr().out
    assert run_program(["effects", "s", "--store", store_url, "--where", "depth = 3"]) == 0
    out, err = capsys.readouterr()
    assert "Importance" not in out
    assert "cannot tell the importance" in err
    assert err.count("by the clause") == 1
    assert run_program(["effects", "s", "--store", store_url, "--json"]) == 0
    ((plain),) = json.loads(capsys.readouterr().out)
    rows = plain["importance"]["axes"]
    assert (rows[0]["axis"], rows[0]["verdict"]) == ("block type", "matters")
    assert rows[-1]["share"] is None


def test_from_python_it_is_a_table(store: Store, store_url: str) -> None:
    search(store, study_of(store, "s"))
    frame = mixspace.Study("s", store_url).importance()
    first = frame.iloc[0]
    assert (first.axis, first.verdict) == ("block type", "matters")
    assert first.low < first.share < first.high
    assert frame.share.isna().any()
    assert frame.attrs["networks"] == 36
    part = mixspace.Study("s", store_url).importance("block_type != prenorm")
    assert part.attrs["networks"] < 36


def test_the_figure_has_a_bar_with_its_interval_for_what_can_be_told(store: Store) -> None:
    search(store, study_of(store, "s"))
    (found,) = study_importance(store, ["s"])
    figure = shares_figure(found.shares)
    assert figure is not None
    bars, marks = figure.data
    told = [each for each in found.shares.axes if each.share == each.share][::-1]
    assert list(bars.y) == [each.axis for each in told]
    assert list(bars.x) == pytest.approx([100 * each.share for each in told])
    ends = [x + more for x, more in zip(bars.x, bars.error_x.array, strict=True)]
    assert ends == pytest.approx([100 * each.high for each in told])
    assert len(marks.y) >= len(told)
    assert figure.layout.xaxis.range[1] >= max(ends)
