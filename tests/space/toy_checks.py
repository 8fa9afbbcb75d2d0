"""What holds of a weight source that was only just added.

`python -m tests.space.toy_checks`, in the packages that have it, prints the names of those checks
that passed, and ends at the first that fails.
"""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import dashboard
import space
from search import optimize
from search.cli.program import run_program as run_search
from space import (
    Architecture,
    DesignSpace,
    InputError,
    Mixer,
    MixerType,
    RelationGraph,
    all_mixer_types,
    cost,
)
from space.axes import Dynamics
from space.canonical import canonical
from space.cli.program import run_program
from space.cost import memory
from space.design.features import encode
from space.geometry import MapSize
from space.inclusion.mixer_inclusion import lift_refusal
from space.inclusion.mixer_on_map import MixerOnMap
from space.inclusion.step_kinds import kinds_between
from space.morphisms.lift_mixer import lift_operator
from space.networks import build
from space.operator_choice import operators
from space.operators import TokenMixer
from space.relation_graph import EdgeKind
from tests.search.small import values
from tests.search.without_ray import in_place_of_ray
from tests.space.carrying import carry, fold_steps
from tests.space.memory_oracles import forward_traffic, saved_bytes
from tests.space.spaces import EVERYTHING, every_point
from tests.space.test_canonical import some_mixers
from tests.space.test_cost import UnseenCounter, assert_exact
from tests.space.test_operators_against_reference import assert_agrees, randomise

SPACE: dict[str, Any] = {
    "input": {"channels": 1, "size": 14},
    "classes": 10,
    "stem": {"patch_size": 3},
    "block_type": "conv",
    "mixers": [
        {"operator": "sliding/separable/full/position/toy", "kernel_size": [3, 5]},
        {"operator": "global/separable/full/channel/toy", "heads": 2},
        {"operator": "dw-s conv.", "kernel_size": 3},
    ],
    "stages": [{"depth": [1, 2], "width": [8, 16], "mlp_ratio": 2}],
}

LINES: list[dict[str, Any]] = [
    {
        "dynamics": "toy",
        "kernel_size": [1, 2, 3, 4, 5, 9],
        "heads": [1, 2, 4],
        "ratio": [1, 2, 3],
        "bias": [True, False],
    },
    {
        "dynamics": "toy",
        "rank": "spatial",
        "kernel_size": 3,
        "ratio": [2, 3],
        "reduction": ["matched", "dense", "average"],
        "reduction_norm": [True, False],
    },
]
"""Every type of the new source, and every size and option."""


def toy_types() -> list[MixerType]:
    return [each for each in all_mixer_types() if each.dynamics == "toy"]


def toy_mixers(width: int) -> list[Mixer]:
    return [mixer for mixer in some_mixers(width) if mixer.dynamics == "toy"]


def printed(*words: str) -> Any:
    """What `python -m space` prints as JSON."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_program([*words, "--json"]) == 0
    return json.loads(out.getvalue())


def it_is_a_value_of_the_axis() -> None:
    assert [str(word) for word in Dynamics][4:] == ["toy"]
    assert Dynamics("toy") is Dynamics["TOY"]
    assert Dynamics("toy").__doc__ == "softmax over the taps of parameters."
    with pytest.raises(InputError, match=r"'static', .*'attention' or 'toy'"):
        Mixer.named("ViT").changed(dynamics="tyo")
    with pytest.raises(InputError, match="rule 8: toy dynamics needs separable channels"):
        MixerType.of(["sliding", "dense", "full", "position", "toy"])
    with pytest.raises(InputError, match="rule 6"):
        MixerType.of(["global", "separable", "joint", "none", "toy"])
    static = [each for each in all_mixer_types() if each.dynamics == "static"]
    separable = [each for each in static if each.channels == "separable"]
    assert len(toy_types()) == len(separable)
    listed = {row["label"]: row for row in printed("mixers")}
    assert {each.label for each in toy_types()} <= listed.keys()
    assert listed["global/separable/full/none/toy"]["options"] == {"bias": False}


def its_operators_are_its_definition() -> None:
    for number, mixer in enumerate(toy_mixers(4)):
        if number % 31 == 0:
            assert_agrees(mixer, 4, MapSize(3, 4), shifted=number % 2 == 1, seed=number)


def its_costs_are_those_of_the_built_network() -> None:
    rng, met = np.random.default_rng(0), 0
    stages = [{"depth": [1, 2], "width": [8, 12], "mlp_ratio": 1}]
    several = DesignSpace.from_dict(EVERYTHING | {"stages": stages, "mixers": LINES})
    with pytest.MonkeyPatch.context() as patch:
        unseen = UnseenCounter(patch)
        for _ in range(10):
            architecture = several.sample(rng)
            assert_exact(architecture, unseen)
            met += any(mixer.dynamics == "toy" for mixer in architecture.mixers())
    assert met > 5


def its_memory_is_what_torch_takes() -> None:
    rng = np.random.default_rng(1)
    several = DesignSpace.from_dict(EVERYTHING | {"mixers": LINES})
    for number in range(10):
        architecture, batch = several.sample(rng), 1 + number % 3
        image = architecture.input
        network = build(architecture)
        images = torch.randn(batch, image.channels, image.height, image.width)
        ours = memory(architecture, batch)
        with operators("plain"):
            saved = saved_bytes(network, images)
            peak, moved = forward_traffic(network.eval(), images)
        assert ours.training_bytes == pytest.approx(saved, rel=0.01), architecture.to_json()
        assert ours.inference_bytes == pytest.approx(peak, rel=0.01), architecture.to_json()
        assert ours.moved_bytes == pytest.approx(moved, rel=0.05), architecture.to_json()


def spaces_count_and_list_it() -> None:
    toys = DesignSpace.from_dict(SPACE)
    points = every_point(toys)
    assert toys.count() == len(points) == len({point.id for point in points}) == 16
    assert all(toys.contains(point) for point in points)
    some = [point for point in points if "toy" in point.to_json()]
    assert len(some) > len(points) / 2
    assert all(Architecture.from_json(point.to_json()).id == point.id for point in some)
    assert len({tuple(encode(point, ("conv",))) for point in points}) == len(points)


def carry_or_copy(source: TokenMixer, target: TokenMixer) -> None:
    """Folds that only rename what is shared leave the parameters as they are."""
    ours, theirs = source.state_dict(), target.state_dict()
    same = source.mixer.dynamics is target.mixer.dynamics and source.plan.taps > 1
    if same and [(k, v.shape) for k, v in ours.items()] == [
        (k, v.shape) for k, v in theirs.items()
    ]:
        target.load_state_dict(ours)
    else:
        carry(source, target)


def its_folds_keep_the_functions() -> None:
    torch.manual_seed(0)
    acted = set()
    for size in (MapSize(1, 1), MapSize(2, 3), MapSize(1, 4)):
        values = torch.randn(2, 4, size.height, size.width, dtype=torch.float64)
        for mixer in toy_mixers(4)[:: 3 if size.positions == 1 else 8]:
            last = mixer
            for before, last in fold_steps(mixer, 4, size):
                if (before, last, size) not in acted:
                    acted.add((before, last, size))
                    assert_carried_both_ways(before, last, size, values)
            assert last == canonical(mixer, 4, size)
    assert {after.dynamics for _, after, _ in acted} == {"toy", "static"}


def assert_carried_both_ways(one: Mixer, other: Mixer, size: MapSize, values: torch.Tensor) -> None:
    for pair in ((one, other), (other, one)):
        source, target = (TokenMixer(mixer, 4, size).double().eval() for mixer in pair)
        randomise(source)
        randomise(target)
        with torch.no_grad():
            carry_or_copy(source, target)
        torch.testing.assert_close(target(values), source(values), rtol=1e-9, atol=1e-9)


def its_weights_are_lifted_into_linear_sources() -> None:
    torch.manual_seed(0)
    label = "sliding/separable/{}/{}/{}".format
    lifted = {
        (label("full", "position", "toy"), label("full", "position", "static")): "toy in static",
        (label("full", "none", "toy"), label("full", "none", "static")): "toy in static",
        (label("full", "both", "toy"), label("full", "both", "homogeneous")): "toy in homogeneous",
    }
    size = MapSize(4, 5)
    values = torch.randn(2, 8, 4, 5, dtype=torch.float64)
    for (ours, theirs), kind in lifted.items():
        special, general = (Mixer.named(each, kernel_size=3) for each in (ours, theirs))
        assert lift_refusal(MixerOnMap(special, 8, size), MixerOnMap(general, 8, size)) is None
        assert kind in kinds_between(special, general)
        one, other = (TokenMixer(each, 8, size).double().eval() for each in (special, general))
        randomise(one)
        randomise(other)
        lift_operator(one, other)
        torch.testing.assert_close(other(values), one(values))
        refusal = lift_refusal(MixerOnMap(general, 8, size), MixerOnMap(special, 8, size))
        assert "dynamics: only the same mixer is in one of toy weights" in str(refusal)


def the_relation_graph_has_its_edges() -> None:
    graph = RelationGraph.of_all_types()
    toys = [edge for edge in graph.edges if "toy" in edge.changes.get("dynamics", ())]
    assert {edge.label for edge in toys} == {"dynamics: toy"}
    from_static = [edge for edge in toys if edge.changes["dynamics"][0] == "static"]
    assert len(from_static) == len(toy_types())
    assert {edge.kind for edge in from_static} == {EdgeKind.SPARSE}
    assert {edge.kind for edge in toys if edge not in from_static} == {EdgeKind.DYNAMIC}
    alike = [e for e in graph.edges if e.source.dynamics == e.target.dynamics == "toy"]
    assert {axis for edge in alike for axis in edge.changes} >= {"locality", "rank", "sharing"}


def searchers_propose_it() -> None:
    toys = DesignSpace.from_dict(SPACE)
    for searcher in ("evolution", "tpe"):
        found = optimize(
            toys, lambda point: -cost(point).params * ("toy" in point.to_json()), searcher, None, 16
        )
        assert any("toy" in each.point.to_json() for each in found.evaluations)


def run_of_it(folder: Path) -> list[str]:
    """A study of the new source in a store of the folder, whose trials are played; its ids."""
    lines = [line for line in SPACE["mixers"] if line["operator"].endswith("toy")]
    content = values(
        store=str(folder / "toy.db"),
        checkpoints=str(folder / "checkpoints"),
        space=SPACE | {"name": "toy", "mixers": lines, "input": {"channels": 1, "size": 28}},
        trials=3,
    )
    (folder / "toy.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        in_place_of_ray(patch, folder)
        asked_of_search("run", str(folder / "toy.yaml"))
    rows = asked_of_search("best", "--store", str(folder / "toy.db"), "--json", *WHERE)
    return [row["architecture_id"] for row in json.loads(rows)]


WHERE = ("--where", "dynamics = toy")


def asked_of_search(*words: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run_search(list(words)) == 0
    return out.getvalue()


def it_is_run_stored_asked_for_and_looked_at() -> None:
    folder = Path.cwd()
    ids = run_of_it(folder)
    assert len(ids) == 3
    script = str(Path(dashboard.__file__).parent / "streamlit_app.py")
    with pytest.MonkeyPatch.context() as patch:
        # Streamlit's harness looks through all that is installed at every run.
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        patch.setenv("MIXSPACE_STORE", str(folder / "toy.db"))
        page = AppTest.from_file(script, default_timeout=60)
        page.query_params["architecture"] = ids[0]
        page.run().switch_page("views/architecture_view.py").run()
    assert not page.exception
    assert not page.error
    (mixers,) = (table.value for table in page.dataframe if "dynamics" in table.value)
    assert set(mixers["dynamics"]) == {"toy"}


CHECKS: tuple[Callable[[], None], ...] = (
    it_is_a_value_of_the_axis,
    its_operators_are_its_definition,
    its_costs_are_those_of_the_built_network,
    its_memory_is_what_torch_takes,
    spaces_count_and_list_it,
    its_folds_keep_the_functions,
    its_weights_are_lifted_into_linear_sources,
    the_relation_graph_has_its_edges,
    searchers_propose_it,
    it_is_run_stored_asked_for_and_looked_at,
)

if __name__ == "__main__":
    torch.set_num_threads(1)
    print(space.__file__)
    for check in CHECKS:
        check()
        print(check.__name__, flush=True)
