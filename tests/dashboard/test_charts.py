"""Charts hold what they claim: every node and edge, steps of the front, ids to click on."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.charts import first_custom
from search.query import AccuracyOverTime, EndedTrial, OperatorRecord
from search.store import EpochRecord, MixerRecord, TrialState
from search.visualization.curve_figures import (
    Curve,
    accuracy_over_time_figure,
    curves_figure,
)
from search.visualization.frame import thinned
from search.visualization.label_places import Box, place_labels
from search.visualization.relation_graph_figure import PLACES, relation_graph_figure
from search.visualization.stages_figure import stages_figure
from search.visualization.theme import KIND_COLOURS, STATE_COLOURS, kind_of, translucent
from space import Architecture, all_mixer_types, mixer_type_named
from space.relation_graph import EDGES, NODES, EdgeKind
from space.wording import ago, clock, count, duration, percent, short
from tests.dashboard import stores

NOTHING = {name: OperatorRecord(0, 0, None, None) for name in NODES}


def test_relation_graph_shows_every_node_and_edge() -> None:
    records = NOTHING | {"ViT": OperatorRecord(3, 5, 0.9123, "0123456789abcdef")}
    figure = relation_graph_figure(records)
    nodes = figure.data[-1]
    assert len(nodes.x) == len(NODES) == 12
    assert all(any(name in text for text in nodes.text) for name in NODES)
    assert "91.23% · 3 trials" in nodes.text[NODES.index("ViT")]
    labels = [a.text.replace("<br>", " ") for a in figure.layout.annotations if a.text]
    assert sorted(labels) == sorted(edge.label for edge in EDGES)
    colours = [a.bgcolor for a in figure.layout.annotations if a.text]
    assert sorted(colours) == sorted(KIND_COLOURS[edge.kind] for edge in EDGES)


def test_relation_graph_marks_the_accuracy_of_a_pruned_trial() -> None:
    complete = OperatorRecord(3, 0, 0.9, "0123456789abcdef")
    pruned = OperatorRecord(1, 0, 0.8, "fedcba9876543210", pruned=True)
    nodes = relation_graph_figure(NOTHING | {"ViT": complete, "PVT": pruned}).data[-1]
    vit, pvt = NODES.index("ViT"), NODES.index("PVT")
    assert nodes.text[vit].endswith(">90.00% · 3 trials")
    assert nodes.text[pvt].endswith(">≥ 80.00% · 1 trial")
    assert nodes.hovertext[vit].endswith("best 90.00% by 0123456789abcdef")
    assert nodes.hovertext[pvt].endswith("by fedcba9876543210, whose trial was pruned")


def champions(records: dict[str, OperatorRecord]) -> list[str]:
    """The nodes that are drawn as the most accurate."""
    boxes = relation_graph_figure(records).layout.shapes
    return [name for name, box in zip(NODES, boxes, strict=True) if box.line.width == 3]


def test_a_pruned_trial_is_never_the_most_accurate_of_the_relation_graph() -> None:
    complete = OperatorRecord(3, 0, 0.9, "0123456789abcdef")
    pruned = OperatorRecord(1, 0, 0.95, "fedcba9876543210", pruned=True)
    assert champions(NOTHING | {"ViT": complete, "PVT": pruned}) == ["ViT"]
    assert champions(NOTHING | {"ViT": complete, "PVT": replace(pruned, best_accuracy=0.9)}) == [
        "ViT"
    ]
    assert champions(NOTHING | {"PVT": pruned}) == []


def test_relation_graph_hover_tells_every_axis_value() -> None:
    nodes = relation_graph_figure(NOTHING).data[-1]
    for name, text in zip(NODES, nodes.hovertext, strict=True):
        for value in mixer_type_named(name).values:
            assert f": {value}" in text


def test_every_node_has_a_place() -> None:
    assert set(PLACES) == set(NODES)
    for one, other in itertools.combinations(PLACES.values(), 2):
        assert abs(one[0] - other[0]) > 0.92 or abs(one[1] - other[1]) > 0.48


def test_every_mixer_type_has_a_kind_with_a_colour() -> None:
    kinds = {kind_of(mixer_type) for mixer_type in all_mixer_types()}
    assert kinds == set(KIND_COLOURS)
    assert set(STATE_COLOURS) == set(TrialState)


def test_weights_of_a_source_that_is_not_there_any_more_have_a_kind() -> None:
    stored = mixers_of(stores.points(1)[0][1])[0]
    assert kind_of(replace(stored, dynamics="gone")) == EdgeKind.DYNAMIC


def mixers_of(architecture: Architecture) -> list[MixerRecord]:
    return [
        MixerRecord(
            stage,
            block,
            *map(str, mixer.type.values),
            mixer.kernel_size,
            mixer.groups,
            mixer.heads,
            mixer.ratio,
            mixer.name,
            mixer.label,
        )
        for stage, block, mixer in architecture.block_mixers()
    ]


@pytest.mark.parametrize("index", range(0, 24, 3))
def test_stages_and_their_costs(index: int) -> None:
    _, point = stores.points(24)[index]
    figure = stages_figure(point, mixers_of(point))
    texts = " ".join(text for trace in figure.data for text in trace.text)
    for number, stage in enumerate(point.stages, 1):
        assert f"Stage {number}" in texts
        assert f"{stage.width} channels" in texts


def test_a_deep_stage_is_drawn_short() -> None:
    _, point = stores.points(1)[0]
    one, other = (stores.points(9)[index][1].stages[0].mixers[0] for index in (5, 6))
    values = point.to_dict()
    deep = {**values["stages"][0], "depth": 40, "mixers": [one.to_dict(), other.to_dict()]}
    architecture = Architecture.from_dict({**values, "stages": [deep]})
    figure = stages_figure(architecture, mixers_of(architecture))
    assert figure.layout.height < 600
    assert any("more" in text for trace in figure.data for text in trace.text)


def test_labels_do_not_cover_each_other() -> None:
    rng = random.Random(1)
    points = [(rng.uniform(100, 800), rng.uniform(60, 440)) for _ in range(12)]
    offsets = place_labels(points, NODES, width=880, height=500)
    boxes = []
    for (x, y), (right, down), name in zip(points, offsets, NODES, strict=True):
        half = (len(name) * 6.6 + 8) / 2
        boxes.append(Box(x + right - half, y + down - 9, x + right + half, y + down + 9))
    assert all(a.overlap(b) == 0 for a, b in itertools.combinations(boxes, 2))
    assert all(box.outside(880, 500) == 0 for box in boxes)


def test_a_pruned_curve_is_dim_and_a_gap_stays_a_gap() -> None:
    epochs = [EpochRecord(n, 1.0, None, 0.5 if n != 2 else None, 0.1, 1.0) for n in (1, 2, 3)]
    curves = [Curve("a", "", TrialState.COMPLETE, epochs), Curve("b", "", TrialState.PRUNED, [])]
    whole, pruned = curves_figure(curves, "accuracy").data
    assert list(whole.y) == [0.5, None, 0.5]
    assert pruned.opacity < whole.opacity
    assert pruned.line.dash == "dot"


def test_best_so_far_is_a_rising_step_line() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    heights = (0.5, 0.4, 0.7, 0.6)
    points = [
        EndedTrial(begun + timedelta(minutes=n), height, TrialState.COMPLETE, n, "id", "ViT")
        for n, height in enumerate(heights)
    ]
    records = [points[0], points[2]]
    line = accuracy_over_time_figure(AccuracyOverTime(points, records, 4, {}), UTC).data[-1]
    assert line.line.shape == "hv"
    assert list(line.y) == [0.5, 0.7, 0.7]


def test_without_a_complete_trial_there_is_no_best_so_far() -> None:
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    points = [EndedTrial(begun, 0.9, TrialState.PRUNED, 0, "id", "ViT")]
    (drawn,) = accuracy_over_time_figure(AccuracyOverTime(points, [], 1, {}), UTC).data
    assert drawn.name == "pruned"


@pytest.mark.parametrize(
    ("points", "found"),
    [
        ([], None),
        ([{"customdata": ["abc", 1]}], "abc"),
        ([{"customdata": {"0": "abc", "1": 2}}], "abc"),
        ([{"x": 1}, {"customdata": ["abc"]}], "abc"),
        ([{"customdata": [""]}], None),
        ([{"customdata": None}], None),
    ],
)
def test_what_was_clicked(points: list[dict[str, object]], found: str | None) -> None:
    assert first_custom({"selection": {"points": points}}) == found


def test_numbers_as_people_read_them() -> None:
    assert percent(0.91234) == "91.23%"
    assert percent(None) == "–"
    assert [short(n) for n in (0, 999, 24_172, 1_170_000, 3.7421e9)] == [
        "0",
        "999",
        "24.2k",
        "1.17M",
        "3.74G",
    ]
    assert count(1, "trial") == "1 trial"
    assert count(1234, "trial") == "1,234 trials"
    assert [duration(s) for s in (45, 200, 3600, 18_600, 183_600)] == [
        "45 s",
        "3 min 20 s",
        "1 h",
        "5 h 10 min",
        "2 d 3 h",
    ]
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert ago(moment, moment + timedelta(seconds=5)) == "5 s ago"
    assert clock(None, UTC) == "–"
    assert translucent("#ff8000", 0.5) == "rgba(255, 128, 0, 0.5)"


def test_thinned() -> None:
    assert thinned([1, 2, 3], 5) == [1, 2, 3]
    assert thinned(range(100), 4) == [0, 25, 50, 75]
