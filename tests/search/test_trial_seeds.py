"""The seeds of trials: other ones for each study seed, repeat and part; shared where asked for."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from search.driver.new_trials import TrialSeeds
from tests.search.small import config
from trainers import Protocol

SEEDS, REPEATS = (0, 1, 7), (0, 1, 2)


def seeds_of(policy: str, seed: int, architecture: str, repeat: int) -> dict[str, int]:
    protocol = Protocol.from_dict({"seed_policy": policy})
    return TrialSeeds(protocol, seed, seed).of(architecture, repeat)


@pytest.mark.parametrize("policy", ["shared", "per-trial"])
def test_every_seed_of_a_study_and_every_repeat_has_its_own(policy: str) -> None:
    found = [seeds_of(policy, seed, "a", r) for seed, r in itertools.product(SEEDS, REPEATS)]
    for part in ("initialisation", "data_order"):
        assert len({each[part] for each in found}) == len(found)
    assert found == [
        seeds_of(policy, seed, "a", r) for seed, r in itertools.product(SEEDS, REPEATS)
    ]


@pytest.mark.parametrize("policy", ["shared", "per-trial"])
def test_a_first_training_has_the_seeds_of_the_protocol(policy: str) -> None:
    """So that a study that is resumed after years trains as it began."""
    seeds = Protocol.from_dict({"seed_policy": policy}).seeds(7, "a")
    assert seeds_of(policy, 7, "a", 0) == {
        "initialisation": seeds.initialisation,
        "data_order": seeds.data_order,
    }


@pytest.mark.parametrize("repeat", REPEATS)
@pytest.mark.parametrize(("policy", "shared"), [("shared", True), ("per-trial", False)])
def test_architectures_share_their_seeds_where_the_policy_says_so(
    policy: str, shared: bool, repeat: int
) -> None:
    one, other = (seeds_of(policy, 3, name, repeat) for name in "ab")
    assert (one == other) == shared
    assert (one["initialisation"] == other["initialisation"]) == shared
    assert (one["data_order"] == other["data_order"]) == shared


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, (5, 5)), ({"initialisation": 8}, (8, 5)), ({"data_order": 9}, (5, 9))],
)
def test_seeds_of_their_own_win_over_the_one(
    own: dict[str, Any], expected: tuple[int, int], tmp_path: Path
) -> None:
    settings = config(tmp_path, seed=5, seeds=own)
    found = TrialSeeds.from_config(settings, settings.protocol)
    assert (found.initialisation, found.data_order) == expected
