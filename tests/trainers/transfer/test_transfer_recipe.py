"""The recipes that come with the program: the paper's figures, and what a recipe refuses."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from space import InputError
from space.zoo import entry
from trainers.transfer.model import make_model
from trainers.transfer.recipe import (
    DetectionRecipe,
    Recipe,
    SegmentationRecipe,
    of_new_length,
    read_recipe,
)
from trainers.transfer.schedule import TransferSchedule
from trainers.transfer.source import BackboneSource

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "configs" / "transfer").glob("*.yaml"))
COCO, ADE20K = 118_287, 20_210
"""Training pictures of COCO 2017, and of ADE20K's scene parsing."""


def shipped(name: str) -> Any:
    return read_recipe(yaml.safe_load((ROOT / "configs" / "transfer" / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_one(path: Path) -> None:
    found = shipped(path.stem)
    assert read_recipe(found.to_dict()) == found
    assert path.stem.startswith("small-") or "paper" in path.read_text()


@pytest.mark.parametrize("name", ["coco-cascade-mask-rcnn", "coco-mask-rcnn"])
def test_the_figures_for_coco_are_the_papers(name: str) -> None:
    """AdamW 1e-4, weight decay 0.05, 36 epochs (27, 33), multi-scale 480 to 800."""
    found = shipped(name)
    assert found.model == name.removeprefix("coco-")
    assert (found.optimiser, found.learning_rate, found.weight_decay) == ("adamw", 1e-4, 0.05)
    assert (found.epochs, found.milestones, found.schedule) == (36, (27, 33), "step")
    assert (min(found.changes.shortest), max(found.changes.shortest)) == (480, 800)
    assert found.drop_path in (0.2, 0.3)
    assert "B models 0.3" in (ROOT / "configs/transfer/coco-cascade-mask-rcnn.yaml").read_text()


def test_the_cascade_has_three_stages_of_rising_thresholds() -> None:
    found = shipped("coco-cascade-mask-rcnn")
    assert (found.iou_thresholds, found.stage_weights) == ((0.5, 0.6, 0.7), (1.0, 0.5, 0.25))


def test_the_figures_for_ade20k_are_the_papers() -> None:
    """UPerNet, AdamW 6e-5, weight decay 0.01, poly, 160k iterations, crop 512, drop path 0.3."""
    found = shipped("ade20k-upernet")
    assert (found.model, found.optimiser) == ("upernet", "adamw")
    assert (found.learning_rate, found.weight_decay, found.drop_path) == (6e-5, 0.01, 0.3)
    assert (found.schedule, found.iterations, found.changes.crop) == ("poly", 160_000, 512)


PUBLISHED = [
    ("dwnet_tiny", 82, 56),
    ("dynamic_dwnet_tiny", 108, 83),
    ("dwnet_base", 132, 108),
    ("dynamic_dwnet_base", 219, 195),
]
"""Millions of parameters that the paper prints, with Cascade Mask R-CNN and with UPerNet."""


@pytest.mark.parametrize(("name", "with_cascade", "with_upernet"), PUBLISHED)
def test_models_have_the_size_that_the_paper_prints(
    name: str, with_cascade: int, with_upernet: int
) -> None:
    """Its cascade predicts a box for each class, which is a million more than one for all."""
    source = BackboneSource.random(entry(name).architecture)
    with torch.device("meta"):
        detector = make_model(source, shipped("coco-cascade-mask-rcnn"), 80)
        segmenter = make_model(source, shipped("ade20k-upernet"), 150)
    counts = [sum(p.numel() for p in model.parameters()) / 1e6 for model in (detector, segmenter)]
    assert round(counts[1]) == with_upernet
    assert with_cascade - 1.6 < counts[0] < with_cascade


def slowly(name: str, published: int) -> Any:
    return pytest.param(name, published, marks=pytest.mark.slow)


@pytest.mark.parametrize(("name", "published"), [("dwnet_tiny", 730), slowly("dwnet_base", 924)])
def test_the_cascade_costs_what_the_paper_prints(name: str, published: int) -> None:
    """At 800 × 1280, with 1000 boxes and 100 masks in each stage, as such counts are made."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counted:
        source = BackboneSource.random(entry(name).architecture)
        model: Any = make_model(source, shipped("coco-cascade-mask-rcnn"), 80).eval()
        levels = model.backbone(torch.empty(1, 3, 800, 1280))
        model.rpn.head(list(levels.values()))
        heads = model.roi_heads
        for head, predictor in zip(heads.box_heads, heads.box_predictors, strict=True):
            predictor(head(torch.empty(1000, 256, 7, 7)))
        for head, predictor in zip(heads.mask_heads, heads.mask_predictors, strict=True):
            predictor(head(torch.empty(100, 256, 14, 14)))
    assert counted.get_total_flops() / 2e9 == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(("name", "published"), [("dwnet_tiny", 928), slowly("dwnet_base", 1129)])
def test_upernet_costs_what_the_paper_prints(name: str, published: int) -> None:
    """At 512 × 2048, as such counts are made."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counted:
        source = BackboneSource.random(entry(name).architecture)
        model = make_model(source, shipped("ade20k-upernet"), 150).eval()
        model(torch.empty(1, 3, 512, 2048))
    assert counted.get_total_flops() / 2e9 == pytest.approx(published, rel=0.02)


def test_the_rate_on_coco_falls_by_ten_at_two_epochs_behind_a_warm_up() -> None:
    schedule, epoch = TransferSchedule(shipped("coco-cascade-mask-rcnn"), COCO), COCO // 16
    assert schedule.steps == 36 * epoch
    rates = [schedule.rate(step) for step in (0, 250, 500, 27 * epoch - 1, 27 * epoch)]
    assert rates == pytest.approx([1e-7, (1e-7 + 1e-4) / 2, 1e-4, 1e-4, 1e-5])
    assert [schedule.rate(n * epoch) for n in (33, 35)] == pytest.approx([1e-6, 1e-6])


def test_the_rate_on_ade20k_falls_in_a_line_to_nothing() -> None:
    schedule = TransferSchedule(shipped("ade20k-upernet"), ADE20K)
    assert schedule.steps == 160_000
    assert schedule.rate(0) == pytest.approx(6e-11)
    for step in (1500, 80_000, 159_999):
        assert schedule.rate(step) == pytest.approx(6e-5 * (1 - step / 160_000))
    assert schedule.rate(750) == pytest.approx(6e-5 * (1 - 750 / 160_000) * 0.5, rel=1e-5)


def test_a_power_bends_the_fall() -> None:
    recipe = SegmentationRecipe(iterations=100, schedule="poly", power=0.9)
    assert TransferSchedule(recipe, 16).rate(50) == pytest.approx(1e-4 * math.sqrt(0.5) ** 1.8)


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        ({"epochs": 36, "milestones": [27, 33]}, {"epochs": 12}, (12, None, (9, 11))),
        ({"epochs": 36, "milestones": [27, 33]}, {"epochs": 1}, (1, None, ())),
        (
            {"epochs": 36, "milestones": [27, 33]},
            {"epochs": 40, "milestones": [27, 33]},
            (40, None, (27, 33)),
        ),
        ({"epochs": 36, "milestones": [27, 33]}, {"batch_size": 8}, (36, None, (27, 33))),
        (
            {"epochs": 36, "milestones": [27, 33]},
            {"iterations": 3600},
            (None, 3600, (2700, 3300)),
        ),
        ({"iterations": 160_000, "schedule": "poly"}, {"epochs": 12}, (12, None, ())),
    ],
)
def test_another_length_takes_the_schedule_along(
    before: dict[str, Any], changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    before = {"task": "detection"} | before
    found = read_recipe(of_new_length(before, before | changes, changes))
    assert (found.epochs, found.iterations, found.milestones) == expected


def test_both_lengths_and_what_is_no_number_are_refused() -> None:
    before = {"task": "detection", "epochs": 36, "milestones": [27, 33]}
    for changes in ({"epochs": 3, "iterations": 3}, {"epochs": "many"}, {"epochs": 0}):
        with pytest.raises(InputError, match="epochs"):
            read_recipe(of_new_length(before, before | changes, changes))


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"task": "depth"}, "task", "detection, segmentation"),
    ({"task": "detection"}, "epochs", "one of the two"),
    ({"epochs": 3, "iterations": 3}, "epochs", "one of the two"),
    ({"epochs": 3, "learningrate": 1.0}, "learningrate", "did you mean 'learning_rate'"),
    ({"epochs": 3, "milestones": [3]}, "milestones", "between 0 and the length 3"),
    ({"epochs": 9, "milestones": [5, 4]}, "milestones", "must rise"),
    ({"epochs": 9, "milestones": [5], "schedule": "poly"}, "milestones", "only for schedule step"),
    ({"epochs": 3, "batch_size": 6, "accumulation": 4}, "batch_size", "multiple of accumulation"),
    ({"epochs": 3, "betas": [0.9, 1.0]}, "betas", "[0, 1)"),
    ({"epochs": 3, "iou_thresholds": [0.6, 0.5, 0.7]}, "iou_thresholds", "must rise"),
    ({"epochs": 3, "iou_thresholds": [0.5, 0.6]}, "stage_weights", "one for each of 2"),
    ({"epochs": 3, "stage_weights": [1.0, 0.5, 0.0]}, "stage_weights", "more than 0"),
    ({"epochs": 3, "rpn_test": [0, 5]}, "rpn_test", "at least 1"),
    (
        {"epochs": 3, "changes": {"validation_shortest": None}},
        "changes.validation_shortest",
        "null",
    ),
    ({"epochs": 3, "drop_path": "0.1"}, "drop_path", "not text"),
    ({"task": "segmentation", "epochs": 3, "batch_size": 1}, "batch_size", "at least 2"),
    (
        {"task": "segmentation", "epochs": 3, "batch_size": 4, "accumulation": 4},
        "batch_size",
        "4 in 4 parts",
    ),
    (
        {"task": "segmentation", "epochs": 3, "changes": {"mean": [0.5, 0.5, 0.5]}},
        "changes.mean",
        "as those that the backbone was trained on",
    ),
    ({"task": "segmentation", "epochs": 3, "iou_thresholds": [0.5]}, "iou_thresholds", "unknown"),
]


@pytest.mark.parametrize(("values", "where", "said"), REFUSED)
def test_refusals_name_the_field(values: dict[str, Any], where: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_recipe({"task": "detection"} | values)
    problem = refused.value.problems[0]
    assert problem.where == f"recipe.{where}"
    assert said in problem.message


def test_the_hash_is_of_all_that_changes_results() -> None:
    plain: Recipe = DetectionRecipe(epochs=2)
    assert plain.hash == DetectionRecipe(epochs=2, grad_checkpointing=True).hash
    changed = [{"learning_rate": 2e-4}, {"epochs": 3}, {"changes": {"flip": 0.1}}]
    hashes = {read_recipe(plain.to_dict() | each).hash for each in changed}
    assert len(hashes | {plain.hash}) == 4
