"""The choice of a parent, and what its child's worker is told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from search.driver.lineage import Trained, choose_parent
from space import Architecture
from tests.trainers.tiny import architecture

CHILD = architecture(kernel_size=5, dynamics="homogeneous")
CONTAINED = [
    architecture(kernel_size=kernel_size, dynamics=dynamics)
    for kernel_size in (1, 3, 5)
    for dynamics in ("static", "homogeneous")
    if (kernel_size, dynamics) != (5, "homogeneous")
]
OTHERS = [architecture(kernel_size=7), architecture(block_type="prenorm"), CHILD]


def trained(what: Architecture, trial_id: int = 1, score: float = 0.5, **costs: Any) -> Trained:
    return Trained(trial_id, what, Path(f"{trial_id}.safetensors"), score, **{"seconds": 1} | costs)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(CONTAINED + OTHERS),
            st.sampled_from([0.1, 0.2, 0.3]),
            st.sampled_from([1.0, 2.0]),
            st.sampled_from([0.0, 1.0]),
        )
    )
)
def test_no_other_parent_is_better(drawn: list[tuple[Architecture, float, float, float]]) -> None:
    candidates = [
        trained(what, number, score, seconds=seconds, lineage_seconds=lineage)
        for number, (what, score, seconds, lineage) in enumerate(drawn)
    ]
    chosen = choose_parent(CHILD, candidates)
    allowed = [candidate for candidate in candidates if candidate.architecture in CONTAINED]
    assert (chosen is None) == (not allowed)
    if chosen is None:
        return
    assert chosen in allowed
    for other in allowed:
        assert other.score <= chosen.score
        if other.score == chosen.score:
            ours, theirs = chosen.seconds + chosen.lineage_seconds, other.cost_so_far
            assert (ours, chosen.trial_id) <= (theirs, other.trial_id)


def test_the_child_itself_is_no_parent() -> None:
    assert choose_parent(CHILD, [trained(CHILD)]) is None


def test_the_lineage_adds_up_over_generations() -> None:
    first = trained(CONTAINED[0], seconds=3.0)
    second = trained(CONTAINED[1], seconds=4.0, lineage_seconds=first.cost_so_far)
    third = trained(CHILD, seconds=5.0, lineage_seconds=second.cost_so_far)
    assert third.lineage_seconds == 7
    assert third.cost_so_far == 12


def test_the_worker_is_told_the_parent() -> None:
    parent = trained(architecture(kernel_size=3), trial_id=7)
    assert parent.to_config() == {
        "architecture": parent.architecture.to_json(),
        "checkpoint": "7.safetensors",
    }


def test_the_driver_needs_no_torch_for_it() -> None:
    code = "import search.driver.lineage, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
