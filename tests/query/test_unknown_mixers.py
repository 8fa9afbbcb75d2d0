"""What is told of networks with a mixer that somebody registered, where nobody knows it."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from search.query import study_effects, study_fidelity, study_importance
from search.query.study_importance import importance_of
from search.store import Store
from space.custom.custom_mixer import CustomMixer
from space.custom.registry import forget
from tests.query.curves import study_of
from tests.query.test_study_effects import DW, train
from tests.search.test_effects import network
from tests.space.own_mixers import POOLED, Pool, put

NAME = "own pool"
DEPTHS = (1, 2, 3)
MOVE = "block type: conv → prenorm"


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


@pytest.fixture
def filled(store: Store) -> Iterator[Store]:
    """A study of six networks with such a mixer, and of six without."""
    study = study_of(store, "s")
    put(NAME, Pool, options={"kernel_size": [3, 5]}, marks=POOLED)
    for mixer in (DW, CustomMixer(NAME, {"kernel_size": 5})):
        for depth in DEPTHS:
            for worth, block in enumerate(("conv", "prenorm")):
                text = network(mixer, block_type=block, depth=depth)
                train(store, study, text, 0.5 + depth / 100 + worth / 50)
    yield store
    forget(NAME)


def test_a_ledger_has_no_memory_of_networks_that_cannot_be_read(filled: Store) -> None:
    rows: list[list[str]] = []
    for _ in range(2):
        (found,) = study_fidelity(filled, ["s"])
        rows.append([row.proxy for row in found.rows])
        forget(NAME)
    known, unknown = rows
    assert set(known) - set(unknown) == {"training_bytes", "inference_bytes"}
    assert [each for each in known if each in unknown] == unknown


def test_the_memory_of_a_move_is_that_of_the_networks_that_are_known(filled: Store) -> None:
    forget(NAME)

    def told(where: str | None) -> dict[str, Any]:
        (found,) = study_effects(filled, ["s"], where=where)
        (row,) = [each for each in found.plain()["effects"] if each["name"] == MOVE]
        assert row["accuracy"]["mean"] == pytest.approx(0.02)
        return row

    every, known, unknown = (told(each) for each in (None, f"name != '{NAME}'", f"name = '{NAME}'"))
    assert [each["pairs"] for each in (every, known, unknown)] == [6, 3, 3]
    ratios = [each["ratios"]["training_bytes"] for each in (every, known, unknown)]
    assert ratios == [ratios[1], pytest.approx(ratios[1]), None]
    assert 0.5 < ratios[1] < 1
    assert all(each["ratios"]["macs"] == pytest.approx(1) for each in (every, known, unknown))


def test_importance_is_told_where_nobody_registered_it(filled: Store) -> None:
    (before,) = study_importance(filled, ["s"])
    forget(NAME)
    (found,) = study_importance(filled, ["s"])
    assert (found.shares.networks, found.shares.total) == (12, 12)
    assert found.notes == before.notes


def test_networks_of_another_mixer_of_its_name_are_left_out_of_importance(filled: Store) -> None:
    forget(NAME)
    put(NAME, Pool, options={"kernel_size": [7, 3]}, marks=POOLED)  # theirs have 5
    (found,) = study_importance(filled, ["s"])
    assert (found.shares.networks, found.shares.total) == (6, 6)
    assert found.notes == (
        "Left out: 6 networks with a mixer that is not known here.",
        f"6 networks cannot tell the importance of the axes: {found.shares.needed:,} are needed, "
        "two for each number that the values of all axes take.",
    )


def test_of_many_networks_a_part_is_drawn_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = {network(DW, depth=depth): 0.5 for depth in DEPTHS} | {"{}": 0.5}
    module = import_module("search.query.study_importance")  # its name is that of a function too
    drawn = []
    for places in ([0, 1], [1, 3]):
        monkeypatch.setattr(module, "drawn", lambda _, found=places: found)
        drawn.append(importance_of(("a",), "judged", trained, ["A note."]))
    one, two = drawn
    assert (one.shares.networks, one.shares.total) == (2, 4)
    assert one.notes[:2] == ("A note.", "Of 4 networks 2 were drawn for it.")
    assert (two.shares.networks, two.shares.total) == (1, 3)
    assert two.notes[:3] == (
        "A note.",
        "Left out: 1 network with a mixer that is not known here.",
        "Of 3 networks 1 were drawn for it.",
    )
    assert (one.studies, one.judged) == (("a",), "judged")
