from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import BestRow, operator_ranks, pareto_front
from search.store import TrialState
from space.errors import InputError

PLAIN = BestRow(
    architecture_id="0",
    accuracy=None,
    params=0,
    macs=0,
    epochs=1,
    seconds=1.0,
    block_type="conv",
    depth=4,
    operators="ViT",
    study="s",
    trial=0,
    trial_id=0,
    state=TrialState.COMPLETE,
    origin="random",
    protocol_hash="x",
)


def rows(*points: tuple[float | None, int, int, str]) -> list[BestRow]:
    return [
        replace(
            PLAIN,
            architecture_id=f"{index:016x}",
            trial_id=index,
            accuracy=accuracy,
            params=params,
            macs=macs,
            operators=operators,
        )
        for index, (accuracy, params, macs, operators) in enumerate(points)
    ]


POINTS = st.lists(
    st.tuples(
        st.none() | st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]),
        st.integers(1, 6),
        st.integers(1, 6),
        st.sampled_from(["ViT", "MLP", "Conv.", "ViT + MLP"]),
    ),
    max_size=30,
)


def beats(a: BestRow, b: BestRow, cost: str) -> bool:
    assert a.accuracy is not None
    assert b.accuracy is not None
    cheap, dear = getattr(a, cost), getattr(b, cost)
    return cheap <= dear and a.accuracy >= b.accuracy and (cheap < dear or a.accuracy > b.accuracy)


@given(POINTS, st.sampled_from(["params", "macs"]))
def test_the_front_is_what_no_row_beats(points: list, cost: str) -> None:
    every = [row for row in rows(*points) if row.accuracy is not None]
    front = pareto_front(rows(*points), cost)  # type: ignore[arg-type]
    expected = [row for row in every if not any(beats(other, row, cost) for other in every)]
    assert {row.trial_id for row in front} == {row.trial_id for row in expected}
    assert [getattr(row, cost) for row in front] == sorted(getattr(row, cost) for row in front)


def test_another_cost_is_refused() -> None:
    with pytest.raises(InputError, match="params, macs"):
        pareto_front([], "latency")  # type: ignore[arg-type]


def test_where_the_operators_stand() -> None:
    found = operator_ranks(
        rows(
            (0.9, 10, 10, "ViT + MLP"),
            (0.8, 5, 50, "ViT"),
            (0.8, 4, 60, "ViT"),
            (0.8, 9, 90, "Conv."),
            (0.1, 9, 90, "MLP"),
            (None, 1, 1, "Bottleneck"),
        )
    )
    assert [(s.name, s.rank, s.row.params, s.on_front) for s in found] == [
        ("ViT", 2, 4, True),
        ("Conv.", 2, 9, False),
        ("MLP", 5, 9, False),
    ]


@given(POINTS)
def test_ranks_count_the_better(points: list) -> None:
    every = [row.accuracy for row in rows(*points) if row.accuracy is not None]
    for each in operator_ranks(rows(*points)):
        assert each.row.accuracy is not None
        better = [accuracy for accuracy in every if accuracy > each.row.accuracy]
        assert each.rank == len(better) + 1
