"""What a person who writes Python asks of spaces, networks and mixers themselves."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given

from space import Architecture, InputError, Mixer, RelationGraph, all_mixer_types, cost
from space.cost import memory
from space.geometry import width_problems
from space.networks import build
from space.published import ENTRIES
from tests.space.spaces import FILES, every_point, small
from tests.space.strategies import mixers_of
from tests.space.test_space_cli import run


def test_several_are_distinct_and_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    space = small()
    drawn = space.sample(5, seed=3)
    assert len({point.id for point in drawn}) == 5
    assert all(space.contains(point) for point in drawn)
    assert drawn == space.sample(5, seed=3) != space.sample(5, seed=4)
    assert space.sample(seed=3) == space.sample(np.random.default_rng(3)) == drawn[0]
    assert space.sample(5) != space.sample(5)
    assert isinstance(space.sample(), Architecture)
    assert len(space.sample(100_000, seed=0)) == len(every_point(space)) == space.count()
    path = str(FILES / "fashion-quickstart.yaml")
    _, out, _ = run(capsys, "sample", path, "-n", "4", "--seed", "7", "--json")
    wanted = type(space).from_yaml(path).sample(4, seed=7)
    assert [row["id"] for row in json.loads(out)] == [point.id for point in wanted]


@pytest.mark.parametrize("number", [0, -1, True, 2.0, "3", 100_001, [5]])
def test_a_number_that_is_none_is_refused(number: object) -> None:
    with pytest.raises(InputError, match="number: must be"):
        small().sample(number)  # type: ignore[call-overload]


def test_a_seed_that_is_none_is_refused() -> None:
    for seed in (-1, 1.0, "x", True):
        with pytest.raises(InputError, match="seed: must be"):
            small().sample(2, seed=seed)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="seed: must be"):
            small().sample(seed=0).build(seed=seed)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="seed: does not go with a generator"):
        small().sample(np.random.default_rng(0), seed=1)  # type: ignore[call-overload]


def test_a_seed_gives_the_first_weights_and_leaves_the_global_generator() -> None:
    architecture = small().sample(seed=0)
    torch.manual_seed(5)
    wanted = build(architecture).state_dict()
    state = torch.get_rng_state()
    first, again, other = (architecture.build(seed=seed).state_dict() for seed in (5, 5, 6))
    assert torch.equal(state, torch.get_rng_state())
    for name, tensor in wanted.items():
        assert torch.equal(first[name], tensor)
        assert torch.equal(again[name], tensor)
    assert any(not torch.equal(other[name], tensor) for name, tensor in wanted.items())
    assert architecture.build(drop_path_rate=0.2).training
    assert architecture.cost() == cost(architecture)


@given(mixers_of(all_mixer_types()))
def test_every_mixer_has_a_picture_whatever_its_sizes(drawn: tuple[Mixer, int]) -> None:
    mixer, _ = drawn
    picture = ElementTree.fromstring(mixer._repr_html_())
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == mixer.label
    # The width that was drawn is one that the mixer can have.
    assert texts[-1] is not None
    width = int(texts[-1].rpartition(" ")[2])
    assert not width_problems(mixer, width)


def test_networks_and_spaces_are_shown_as_well_formed_text_without_markup_of_theirs() -> None:
    architecture = ENTRIES["swin_tiny"].architecture
    shown = "".join(ElementTree.fromstring(architecture._repr_html_()).itertext())
    assert all(f"Stage {number}" in shown for number in (1, 2, 3, 4))
    large = small(input={"channels": 1, "size": 1200}).sample(seed=0)
    table = ElementTree.fromstring(large._repr_html_())
    assert [row[1].text for row in table.iter("tr")] == ["map", "300×300", "150×150"]
    space = small(name="<b>&", limits={"params": "6k"})
    assert "<b>&" not in space._repr_html_()
    title = ElementTree.fromstring(space._repr_html_())[0].text or ""
    assert title.startswith(f"Design space <b>&: {space.size_hint():,} networks before the limits")
    assert "params ≤ 6,000" in title


def test_the_relation_graph_has_the_nodes_that_its_edges_join() -> None:
    for graph in (RelationGraph.of_paper(), RelationGraph.of_all_types()):
        for node in graph.nodes:
            for other in graph.neighbours(node):
                assert node in graph.neighbours(other)
        assert sum(len(graph.neighbours(node)) for node in graph.nodes) == 2 * len(graph.edges)
    named = {node.name for node in RelationGraph.of_paper().neighbours("ViT")}
    assert named == {"Sep. MLP", "Local ViT", "PVT"}
    with pytest.raises(InputError):
        RelationGraph.of_paper().neighbours("ViTT")


def test_a_seed_of_a_network_is_no_seed_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.manual_seed` would seed the generators of all devices, and leave them so."""
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("seeded"))
    before = torch.get_rng_state()
    small().sample(seed=0).build(seed=3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("value", ["dwnet_tiny", 3, None, {}, all_mixer_types()[0]])
def test_what_is_no_architecture_is_refused(value: object) -> None:
    for call in (cost, memory, build):
        with pytest.raises(InputError, match="architecture: must be an Architecture; got"):
            call(value)  # type: ignore[operator]
