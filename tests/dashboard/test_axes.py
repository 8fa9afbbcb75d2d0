"""The page Axes: how much each matters, what its values do, and the way to one of them."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from search.effects import Effect, Estimate, Move, MoveKind
from search.query import study_effects
from search.store import Store, StudyRecord, open_store
from search.visualization.effects_figure import effects_figure, sizes_figure
from space.axes import AXES
from space.mixer import Mixer
from tests.dashboard.conftest import Open, no_components_of_packages, opened, registered_pages
from tests.dashboard.test_pages import texts
from tests.query.curves import study_of
from tests.query.test_study_effects import DW, DYNAMIC, fill, train
from tests.query.test_study_importance import search
from tests.search.test_effects import BLOCKS, network

__all__ = ["no_components_of_packages", "opened", "registered_pages"]

STEP = "dynamics: static → homogeneous"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "axes.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with open_store(str(file), create=True) as made:
        yield made


def turning(store: Store, study: StudyRecord) -> None:
    """Dynamic weights hurt in one type of block and help in another; nothing else does anything."""
    for block in BLOCKS:
        worth = {"conv": -0.03, "prenorm": 0.03}.get(block, 0.0)
        for depth in (1, 2, 3, 4, 5):
            base = 0.5 + depth / 100
            luck = (depth - 3) / 2000
            train(store, study, network(DW, block_type=block, depth=depth), base)
            text = network(DYNAMIC, block_type=block, depth=depth)
            train(store, study, text, base + worth + luck)


def kernels(store: Store, study: StudyRecord, sizes: tuple[int, ...] = (3, 5, 7)) -> None:
    """Larger kernels are better, each by less."""
    for depth in (1, 2, 3, 4):
        for size in sizes:
            mixer = Mixer.named("DW-S Conv.", kernel_size=size)
            worth = 0.05 * (1 - 3 / size) + (depth - 2.5) / 1000 * (size > 3)
            train(store, study, network(mixer, depth=depth), 0.5 + depth / 100 + worth)


def test_values_are_told_by_pairs_with_table_and_chart(
    store: Store, file: Path, opened: Open
) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("axes", file, axis="dynamics")
    assert not page.exception
    *_, table = (each.value for each in page.dataframe)
    (row,) = table.to_dict("records")
    assert (row["move"], row["verdict"]) == (STEP, "helps")
    assert (row["points"], row["pairs"], row["contexts"]) == (pytest.approx(2.0), 4, 4)
    assert len(page.get("plotly_chart")) == 1  # too few networks for the importance
    assert "8 networks of s, judged after 4 epochs" in texts(page)


def test_every_axis_is_offered_and_one_without_pairs_says_so(
    store: Store, file: Path, opened: Open
) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("axes", file)
    assert not page.exception
    (control,) = page.get("button_group")
    assert [*control.options] == [*AXES, "block type"]
    assert "No two of 8 networks differ in the locality alone" in texts(page)
    assert not page.get("plotly_chart")


def test_the_importance_of_axes_is_drawn_with_a_table(
    store: Store, file: Path, opened: Open
) -> None:
    search(store, study_of(store, "s"))
    page = opened("axes", file)
    assert not page.exception
    assert "How much each axis matters" in [each.value for each in page.subheader]
    table = page.dataframe[0].value
    first = table.iloc[0]
    assert (first.axis, first.verdict) == ("block type", "matters")
    assert first["from"] < first["% of variance"] < first["to"]
    assert "over 36 networks" in texts(page)
    assert len(page.get("plotly_chart")) == 1
    few = opened("axes", file, where="depth = 3")
    assert not few.get("plotly_chart")
    assert "cannot tell the importance of the axes" in texts(few)


def test_where_an_effect_turns_with_the_type_of_block_no_number_hides_it(
    store: Store, file: Path, opened: Open
) -> None:
    turning(store, study_of(store, "s"))
    page = opened("axes", file, axis="dynamics")
    assert not page.exception
    *_, table = (each.value for each in page.dataframe)
    (row,) = table.to_dict("records")
    assert "hurts in conv" in row["verdict"]
    assert "helps in prenorm" in row["verdict"]
    said = texts(page).replace("\\", "")
    assert f"{STEP} turns with the type of block: {row['verdict']} (-3.00 points in conv" in said
    assert "+3.00 points in prenorm over 5 contexts" in said
    (found,) = study_effects(store, ["s"])
    (effect,) = (each for each in found.effects if each.move.name == STEP)
    assert effect.turns
    marks = {trace.name: trace for trace in effects_figure([effect]).data}
    assert {*marks} == {"all contexts", *(f"in {block}" for block in BLOCKS)}
    assert marks["in conv"].x == (pytest.approx(-3.0),)
    assert marks["in prenorm"].x == (pytest.approx(3.0),)
    assert len({mark.marker.symbol for mark in marks.values()}) == 4  # told apart without colour
    steady = effects_figure([replace(effect, p_turns=0.5)])
    assert [trace.name for trace in steady.data] == ["all contexts"]


def test_the_curve_over_kernels_is_of_pairs_with_the_smallest(
    store: Store, file: Path, opened: Open
) -> None:
    kernels(store, study_of(store, "s"))
    page = opened("axes", file, axis="kernel size")
    assert not page.exception
    *_, table = (each.value for each in page.dataframe)
    assert table.move.tolist() == [f"kernel size: {step}" for step in ("3 → 5", "3 → 7", "5 → 7")]
    assert "Against kernel size 3" in texts(page)
    assert len(page.get("plotly_chart")) == 1
    (found,) = study_effects(store, ["s"])
    rows = [each for each in found.effects if each.move.what == "kernel size"]
    curve = sizes_figure(rows)
    (line,) = (trace for trace in curve.figure.data if trace.name == "all contexts")
    assert curve.reference == 3
    assert line.x == (5, 7)
    assert line.y == pytest.approx((2.0, 100 * 0.05 * 4 / 7))
    for effect, half in zip(rows[:2], line.error_y.array, strict=True):
        assert half == pytest.approx(100 * (effect.accuracy.high - effect.accuracy.mean))


def test_sizes_that_have_no_twin_with_the_smallest_are_not_on_the_curve() -> None:
    def effect(source: int, target: int, mean: float) -> Effect:
        move = Move(MoveKind.SIZE, "kernel size", str(source), str(target))
        estimate = Estimate(mean, math.nan, math.nan, math.nan, 1)
        return Effect(move, estimate, {}, {}, 1, 2, math.nan, math.nan, "cannot tell")

    curve = sizes_figure([effect(5, 9, 0.3), effect(3, 11, 0.1), effect(3, 5, 0.2)])
    (line,) = (trace for trace in curve.figure.data if trace.name == "all contexts")
    assert (curve.reference, line.x, line.y) == (3, (5, 11), (20.0, 10.0))
    assert line.error_y.array == (0.0, 0.0)


def test_a_button_filters_every_page_to_a_value(store: Store, file: Path, opened: Open) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("axes", file, axis="dynamics", where="depth <= 3")
    assert [each.label for each in page.main.button] == [
        f"dynamics = {value}" for value in AXES["dynamics"]
    ]
    page.button(key="only dynamics = homogeneous").click().run()
    assert not page.exception
    assert page.text_input(key="where").value == "(depth <= 3) and dynamics = homogeneous"
    assert len(page.dataframe[0].value) == 3  # of the leaderboard
    kernels = opened("axes", file, axis="block type")
    kernels.button(key="only block_type = prenorm").click().run()
    assert kernels.text_input(key="where").value == "block_type = prenorm"


def test_of_many_trials_effects_are_asked_for(
    store: Store, file: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard import effects

    fill(store, study_of(store, "s"), 0.02)
    monkeypatch.setattr(effects, "_AT_ONCE", 3)
    page = opened("axes", file)
    assert not page.exception
    assert not page.dataframe
    assert [each.value for each in page.info] == [
        "Of so many trials, effects are worked out when you ask."
    ]
    page.toggle(key="effects").set_value(True).run()
    assert page.dataframe
