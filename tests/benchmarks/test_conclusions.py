"""What the table of operators says of the article: by hand, and as it stands on the page."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from benchmarks.conclusions.__main__ import PAGE, PICTURE, main
from benchmarks.conclusions.article import CLAIMS, Expected, conclusions_of, outcome
from benchmarks.conclusions.contrasts import Contrast, Found, OneSkeleton, Operator, at, judged
from benchmarks.conclusions.page import text, write, written
from benchmarks.conclusions.recipe import recipe_effect
from benchmarks.table.columns import TEST_COLUMN
from benchmarks.table.measure import Measured
from benchmarks.table.read import TabularBenchmark, shipped_table, variant_table
from benchmarks.table.spec import OPERATORS_TABLE, PLAIN
from search.effects import Estimate, MoveKind, SeedSpread, points
from search.query import table_effects
from space import Architecture
from tests.benchmarks.synthetic import write as write_table
from trainers import DataConfig

SPEC = replace(OPERATORS_TABLE, data=DataConfig(limit_train=200, limit_validation=100))
SPACE = list(SPEC.space().enumerate())
DYNAMIC = Contrast("dynamic", at("DW-S Conv.", "Dynamic DW-S Conv.", (3, 7)))


def operator(architecture: Architecture) -> Operator:
    mixer = architecture.stages[0].mixers[0]
    return mixer.name, mixer.kernel_size


def measured(
    architecture: Architecture, accuracy: float, seed: int = 0, failure: str | None = None
) -> Measured:
    curve = (accuracy / 2, accuracy)
    return Measured(architecture.id, seed, curve, curve, (1.0, 1.0), accuracy, "cpu", failure)


def table(
    path: Path,
    worth: Callable[[Architecture, int], float],
    seeds: tuple[int, ...] = (0,),
    wanted: Callable[[Operator], bool] = lambda operator: True,
) -> TabularBenchmark:
    """A table of networks with accuracies that a function has of each and its seed."""
    found = [
        measured(each, worth(each, seed), seed)
        for each in SPACE
        for seed in seeds
        if wanted(operator(each))
    ]
    return TabularBenchmark(write_table(path, found, SPEC))


def of_blocks(architecture: Architecture) -> float:
    return 0.5 + 0.1 * ("conv", "prenorm", "convnext").index(architecture.block_type)


def by_hand(architecture: Architecture, seed: int) -> float:
    """Dynamic weights are worth 2 points at kernels of 7 and 1 at 3, and more in later blocks."""
    name, kernel = operator(architecture)
    more = 0.04 * (of_blocks(architecture) - 0.5)
    effect = ((0.02 if kernel == 7 else 0.01) + more) * (name == "Dynamic DW-S Conv.")
    return of_blocks(architecture) + effect + 0.03 * seed


def test_a_contrast_is_the_mean_over_blocks_and_kernels_of_what_both_have(tmp_path: Path) -> None:
    found = OneSkeleton(table(tmp_path / "t.parquet", by_hand)).found(DYNAMIC)
    assert found.estimate.mean == pytest.approx(0.019)
    assert (found.estimate.contexts, found.wanted, found.trainings) == (3, 3, 12)
    # Kernels of a block are no draws: of 0.015, 0.019, 0.023, t(2) = 4.3027 times the error.
    assert found.estimate.high == pytest.approx(0.019 + 4.3027 * 0.004 / math.sqrt(3), abs=1e-6)
    assert found.ratios["params"] > 1


def test_only_seeds_that_both_have_are_compared(tmp_path: Path) -> None:
    static = [each for each in SPACE if operator(each) == ("DW-S Conv.", 7)]
    dynamic = [each for each in SPACE if operator(each) == ("Dynamic DW-S Conv.", 7)]
    found = [measured(each, 0.5, seed) for each in static for seed in (0, 1)]
    found += [measured(each, 0.9, seed) for each in dynamic for seed in (1, 2)]
    # One failed, and one of another seed alone has nothing to be compared with.
    found[-6] = replace(found[-6], failure="train loss is nan in epoch 1, step 1")
    skeleton = OneSkeleton(TabularBenchmark(write_table(tmp_path / "t.parquet", found, SPEC)))
    seen = skeleton.found(DYNAMIC)
    assert (seen.estimate.contexts, seen.wanted) == (2, 3)
    assert seen.estimate.mean == pytest.approx(0.4)


def test_a_table_that_has_begun_cannot_tell(tmp_path: Path) -> None:
    one = table(tmp_path / "t.parquet", by_hand, wanted=lambda operator: operator[0] == "ViT")
    found, recipe = conclusions_of(OneSkeleton(one))
    assert recipe is None
    for claim, several in found.items():
        assert len(several) == len(claim.contrasts)
        assert {each.verdict for each in several} == {"cannot tell"}
        assert {each.estimate.contexts for each in several} == {0}
    said = text(SPEC, tmp_path / "t.parquet")
    assert (
        f"3 of {len(SPACE)} networks are trained, 3 of {3 * len(SPACE)} trainings are done" in said
    )
    assert "none has two seeds yet" in said
    assert "*The recipe matters*: not tested yet" in said


def test_every_contrast_is_of_networks_that_the_table_will_have() -> None:
    there = {operator(each) for each in SPACE}
    steps = [step for claim in CLAIMS for contrast in claim.contrasts for step in contrast.steps]
    assert {end for step in steps for end in step} <= there
    for claim in CLAIMS:
        for contrast in claim.contrasts:
            ends = [end for step in contrast.steps for end in step]
            assert len(ends) == len(set(ends))  # contexts share no network


def test_intervals_are_not_narrower_than_seeds_allow(tmp_path: Path) -> None:
    def worth(each: Architecture, seed: int) -> float:
        # The two operators move by seed against each other, and agree in every context.
        turn = 0.02 * (seed - 0.5) * (-1 if operator(each)[0] == "DW-S Conv." else 1)
        return of_blocks(each) + turn

    skeleton = OneSkeleton(table(tmp_path / "t.parquet", worth, seeds=(0, 1)))
    seeds = skeleton.seeds
    assert seeds is not None
    assert seeds.deviation == pytest.approx(0.02 / math.sqrt(2))
    found = skeleton.found(DYNAMIC)
    assert found.estimate.mean == pytest.approx(0.0, abs=1e-9)
    error = seeds.deviation * math.sqrt(2 / 2) / math.sqrt(6)
    assert found.estimate.high == pytest.approx(4.3027 * error, abs=1e-5)


def test_verdicts_are_corrected_for_all_that_is_asked() -> None:
    def found(p: float) -> Found:
        return Found("a", Estimate(0.02, 0.001, 0.039, p, 5), 6, 10, {})

    assert judged([found(0.03)])[0].verdict == "helps"
    assert {e.verdict for e in judged([found(0.03)] * 2)} == {"cannot tell, among so many"}


YES, NO, OPEN = "as in the article", "not as in the article", "cannot tell"


@pytest.mark.parametrize(
    ("low", "high", "verdict", "no_loss", "next_to_nothing", "gain"),
    [
        (0.010, 0.020, "helps", YES, NO, YES),
        (0.002, 0.020, "helps", YES, OPEN, YES),
        (0.001, 0.004, "helps", YES, YES, YES),
        (-0.003, 0.002, "no difference larger than 0.30 points", YES, YES, NO),
        (-0.003, -0.001, "hurts", YES, YES, NO),
        (-0.020, -0.002, "hurts", OPEN, OPEN, NO),
        (-0.020, -0.010, "hurts", NO, NO, NO),
        (-0.020, 0.010, "cannot tell", OPEN, OPEN, OPEN),
        (0.001, 0.030, "cannot tell, among so many", OPEN, OPEN, OPEN),
    ],
)
def test_what_the_article_has_is_confirmed_denied_or_open(
    low: float, high: float, verdict: str, no_loss: str, next_to_nothing: str, gain: str
) -> None:
    estimate = Estimate((low + high) / 2, low, high, 0.01, 5)
    found = Found("a", estimate, 6, 10, {}, verdict)
    told = [outcome(expected, found) for expected in Expected]
    assert told == [no_loss, next_to_nothing, gain]


def test_the_recipe_is_compared_on_the_same_networks_and_seeds(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    recipe = table(path, lambda each, seed: of_blocks(each) + 0.04 + 0.01 * seed, seeds=(0, 1))
    few = {"ViT", "PVT", "Sep. MLP"}
    plain = table(
        variant_table(path, PLAIN), lambda each, seed: of_blocks(each), wanted=lambda o: o[0] in few
    )
    found = recipe_effect(recipe, plain, wanted=16, seeds=None)
    assert found.estimate.mean == pytest.approx(0.04)
    assert (found.estimate.contexts, found.wanted, found.trainings) == (9, 16, 18)
    known = recipe_effect(recipe, plain, wanted=16, seeds=SeedSpread(0.01, 72))
    # Each of nine differences of two trainings has the seeds' error: t(8) = 2.3060.
    assert known.estimate.high == pytest.approx(0.04 + 2.3060 * 0.01 * math.sqrt(2 / 9), abs=1e-6)
    assert "plain training → the recipe +4.00 [+" in text(SPEC, path)


def test_trainings_that_failed_tell_nothing_of_the_recipe(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    some = SPACE[:6]
    write_table(path, [measured(each, 0.6) for each in some], SPEC)
    fails = [None] * 5 + ["train loss is nan in epoch 1, step 1"]
    plain = [measured(each, 0.59, 0, why) for each, why in zip(some, fails, strict=True)]
    write_table(variant_table(path, PLAIN), plain, SPEC)
    tables = TabularBenchmark(path), TabularBenchmark(variant_table(path, PLAIN))
    found = recipe_effect(*tables, wanted=6, seeds=None)
    assert found.estimate.contexts == 5
    assert found.estimate.mean == pytest.approx(0.01)


def test_only_what_is_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    write(page, "one\n\ntwo")
    assert written(page) == "one\n\ntwo"
    write(page, written(PAGE))
    assert page.read_text() == PAGE.read_text()


# What is shipped


def test_the_page_says_what_the_file_says() -> None:
    assert main(["--check"]) == 0
    assert PAGE.read_text().count("<!-- written by benchmarks.conclusions -->") == 1


def test_the_picture_has_the_effects_of_the_file() -> None:
    drawn = PICTURE.read_text()
    effects = table_effects(shipped_table(OPERATORS_TABLE.name))
    assert f"{effects.networks} networks" in drawn
    shown = [each for each in effects.effects if each.move.kind is MoveKind.EDGE and each.pairs]
    for each in shown:
        assert points(each.accuracy.mean) in drawn


def test_what_is_concluded_knows_nothing_of_the_test_column(tmp_path: Path) -> None:
    shipped = shipped_table(OPERATORS_TABLE.name)
    for path in (shipped, variant_table(shipped, PLAIN)):
        if path.is_file():
            closed = pyarrow.parquet.read_table(path).drop_columns([TEST_COLUMN])
            pyarrow.parquet.write_table(closed, tmp_path / path.name)
    assert text(OPERATORS_TABLE, tmp_path / shipped.name) == written(PAGE)
