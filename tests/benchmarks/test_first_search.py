"""The plain CNN that the first search is held to, and the sweep around its recipe."""

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.first_search import CONFIG, CnnRun, SearchRun, cnn, macs_of
from benchmarks.first_search import show as show_search
from benchmarks.recipe import RECIPES, Trained, tasks
from benchmarks.recipe import show as show_recipes
from search.config import load_config
from space import BLOCK_TYPES, InputError
from space.networks import build

FIGURES = Path(__file__).parents[2] / "benchmarks" / "README.md"


def test_the_cnn_is_the_one_of_the_figures() -> None:
    """Two convolutions and one hidden layer; what is said of its size is what it has."""
    model = cnn(1, 28, 10)
    params, macs = sum(p.numel() for p in model.parameters()), macs_of(model, 1, 28)
    by_hand = 28 * 28 * 9 * 32 + 14 * 14 * 9 * 32 * 64 + 64 * 49 * 64 + 64 * 10
    assert macs == by_hand
    said = FIGURES.read_text()
    assert f"{params / 1e3:.0f}k\nparams, {macs / 1e6:.2f}M MACs" in said
    rows = re.findall(r"\| CNN, rate .*", said)
    assert rows
    assert all(f"| {params / 1e3:.0f}k | {macs / 1e6:.2f}M |" in row for row in rows)


def test_no_network_of_the_first_search_costs_more_than_the_cnn() -> None:
    limits = load_config(CONFIG).search_space.limits
    assert dict(limits.to_dict())["macs"] <= macs_of(cnn(1, 28, 10), 1, 28)


def test_the_sweep_is_over_every_block_and_operator_alike() -> None:
    """Each recipe is one change of the configuration, with the very networks of all others."""
    config = load_config(CONFIG)
    found = list(tasks(config, list(RECIPES), 1))
    networks = {
        recipe: Counter(t.architecture.id for t in found if t.recipe == recipe)
        for recipe in RECIPES
    }
    scaled = networks.pop("layer scale 1e-6")
    other = [networks.pop(name) for name in RECIPES if RECIPES[name].network and name in networks]
    assert len(other) == 3
    assert not any(set(each) & set(networks["as it is"]) for each in other)
    assert set(map(frozenset, networks.values())) == {frozenset(networks["as it is"])}
    assert all(set(each.values()) == {1} for each in networks.values())
    each = Counter(t.architecture.block_type for t in found if t.recipe == "as it is")
    assert set(each) == set(BLOCK_TYPES)
    operators = {t.operator for t in found}
    assert set(each.values()) == {len(operators)}
    assert len(operators) == 13
    assert len(scaled) == 13
    assert not set(scaled) & set(networks["as it is"])
    hashes = {t.recipe: t.protocol.hash for t in found}
    of_networks = [hashes.pop(name) for name in RECIPES if RECIPES[name].network]
    assert {*of_networks, hashes["as it is"]} == {config.protocol.hash}
    assert len(set(hashes.values())) == len(hashes)
    build(found[-1].architecture)


def test_some_operators_are_as_good_as_they_are_among_all() -> None:
    config, names = load_config(CONFIG), ["ViT", "Conv."]
    found = list(tasks(config, ["as it is"], 1, names))
    every = {t.operator: t for t in tasks(config, ["as it is"], 1) if t in found}
    assert set(every) == set(names)
    assert len(found) == 6
    with pytest.raises(InputError, match="'Swin' is not in the paired comparison; there are: MLP"):
        list(tasks(config, ["as it is"], 1, ["Swin"]))


def test_a_difference_is_that_of_pairs() -> None:
    base = [Trained("as it is", "conv", name, 0, a) for name, a in {"ViT": 0.5, "MLP": 0.7}.items()]
    other = [
        Trained("mirrors", "conv", name, 0, a) for name, a in {"ViT": 0.6, "MLP": 0.74}.items()
    ]
    unpaired = Trained("mirrors", "conv", "PVT", 0, 0.0)
    table = show_recipes([*base, *other, unpaired])
    assert "| as it is | " in table
    assert "+7.00 ± 3.00 (2)" in table
    assert "–" in show_recipes(other)  # nothing to compare with


@pytest.mark.parametrize("found", [None, SearchRun(300.0, 26, "a", "Conv.", 0.9, 621, 158, 0.91)])
def test_the_table_has_every_seed_of_a_rate_in_a_row(found: SearchRun | None) -> None:
    runs = [CnnRun(rate, seed, 0.88 + seed / 100, 20.0) for rate in (0.1, 0.2) for seed in (0, 1)]
    table = show_search(runs, 10, 20, found)
    assert table.count("88.00, 89.00") == 2
    assert ("best of the search: Conv." in table) is (found is not None)
    assert ("5 min" in table) is (found is not None)
