"""The commands of `python -m space` as a person meets them."""

import copy
import json
from dataclasses import fields
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from PIL import Image

from space import Architecture, DesignSpace, all_mixer_types, mixer_type_named
from space.axes import AXES
from space.cli import output
from space.cli.program import run_program
from space.design import SpaceTooLarge
from space.input.plain_files import read_yaml
from space.mixer import Mixer
from space.mixer_types import PAPER_NAMES
from space.published import ENTRIES
from space.structure.table_1 import Table1Row
from tests.space.test_relation_graph import FIGURE
from tests.space.test_structure import PAPER_TABLE_1

QUICKSTART = "configs/spaces/fashion-quickstart.yaml"
MIXER = {
    "locality": "sliding",
    "channels": "grouped",
    "rank": "full",
    "sharing": "position",
    "dynamics": "static",
    "kernel_size": 3,
    "groups": 4,
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_program(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def values(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def written(path: Path, content: Any) -> str:
    path.write_text(json.dumps(content))
    return str(path)


# --- mixer types, graph, zoo ---------------------------------------------------------------------


def test_mixer_types_are_74_and_12_have_the_papers_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mixer_types = values(capsys, "mixers")
    assert len(mixer_types) == 74
    assert [
        mixer_type["paper_name"] for mixer_type in mixer_types if mixer_type["paper_name"]
    ] != []
    assert {c["paper_name"]: c["label"] for c in mixer_types if c["paper_name"]} == PAPER_NAMES
    assert {mixer_type["label"] for mixer_type in mixer_types} == {
        mixer_type.label for mixer_type in all_mixer_types()
    }
    assert all(
        "/".join(mixer_type[axis] for axis in AXES) == mixer_type["label"]
        for mixer_type in mixer_types
    )
    assert len(values(capsys, "mixers", "--named")) == 19
    assert "Dynamic DW-S Conv." in run(capsys, "mixers")[1]


def test_the_command_is_found_by_its_earlier_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, said = run(capsys, "cells", "--named")
    assert (code, said) == (0, "note: cells is called mixers now.\n")
    assert out == run(capsys, "mixers", "--named")[1]


def test_table_1_comes_from_the_weights(capsys: pytest.CaptureFixture[str]) -> None:
    rows = values(capsys, "mixers", "--table-1")
    columns = [field.name for field in fields(Table1Row)]
    assert {row["structure"]: tuple(row[name] for name in columns) for row in rows} == PAPER_TABLE_1
    assert all(Mixer.from_dict(row["mixer"]).type.label == row["mixer_type"] for row in rows)
    shown = run(capsys, "mixers", "--table-1")[1]
    for name, row in PAPER_TABLE_1.items():
        (line,) = (line for line in shown.splitlines() if line.startswith(f"│ {name} "))
        assert [cell.strip() for cell in line.split("│")[2:-1]] == list(row)


def one_axis_apart() -> list[list[str]]:
    """Every pair of legal mixer types that differ in one axis, found by looking at all pairs."""
    labels = sorted(mixer_type.label for mixer_type in all_mixer_types())
    differ = {
        (one, other): sum(a != b for a, b in zip(one.split("/"), other.split("/"), strict=True))
        for one, other in combinations(labels, 2)
    }
    return [list(pair) for pair, number in differ.items() if number == 1]


def test_the_graph_has_the_13_edges(capsys: pytest.CaptureFixture[str]) -> None:
    graph = values(capsys, "graph")
    found = {(e["source"], e["target"]): (e["label"], e["kind"]) for e in graph["edges"]}
    assert found == FIGURE
    assert len(graph["nodes"]) == 12
    assert len(graph["edges"]) == 13
    assert {e["kind"] for e in graph["edges"]} == {"sparse", "low rank", "dynamic"}
    assert graph["edges"][0]["changes"]["locality"] == ["global", "sliding"]
    assert sorted(sorted((m["source"], m["target"])) for m in graph["moves"]) == one_axis_apart()
    assert all(move["label"] and len(move["changes"]) == 1 for move in graph["moves"])
    shown = run(capsys, "graph", "--moves")[1]
    assert "Inhomogeneous Vec. Atten." in shown
    assert "one-axis moves" in shown


def test_zoo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert [row["name"] for row in values(capsys, "zoo")] == list(ENTRIES)
    assert "24,172,744" in run(capsys, "zoo")[1]
    assert "Swin Transformer" in run(capsys, "zoo", "swin_tiny")[1]
    one = values(capsys, "zoo", "swin_tiny")
    assert Architecture.from_dict(one) == ENTRIES["swin_tiny"].architecture
    path = written(tmp_path / "swin.json", one)
    assert values(capsys, "cost", path)["id"] == ENTRIES["swin_tiny"].architecture.id
    assert run(capsys, "zoo", path)[0] == 2


# --- cost -------------------------------------------------------------------------------------

PAPER = {
    "dwnet_tiny": (24_172_744, 3.7269, 3.7421),
    "dwnet_base": (74_347_112, 12.8123, 12.8447),
    "dynamic_dwnet_tiny": (51_131_752, 3.7538, 3.7705),
    "dynamic_dwnet_base": (161_597_928, 12.8995, 12.9350),
    "i_dynamic_dwnet_tiny": (26_244_280, 4.3041, 4.3894),
    "i_dynamic_dwnet_base": (80_253_608, 14.1876, 14.3724),
    "swin_tiny": (28_288_354, 4.4906, None),
    "swin_base": (87_768_224, 15.431, None),
}


@pytest.mark.parametrize("name", PAPER)
def test_costs_are_those_of_the_paper(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = values(capsys, "cost", name)
    params, torch_macs, paper_macs = PAPER[name]
    assert found["params"] == params
    digits = 3 if name == "swin_base" else 4
    assert round(found["torch_macs"] / 1e9, digits) == torch_macs
    if paper_macs is None:
        assert found["paper_macs"] is None
        assert "block_type" in found["paper_macs_reasons"][0]
    else:
        assert round(found["paper_macs"] / 1e9, 4) == paper_macs
    parts = found["parts"].values()
    assert sum(part["params"] for part in parts) == params
    assert sum(part["macs"] for part in parts) == found["macs"]


@pytest.mark.parametrize(
    ("size", "width", "depths"), [("tiny", 96, (2, 2, 6, 2)), ("base", 128, (2, 2, 18, 2))]
)
def test_the_sum_over_positions_is_what_torch_does_not_count(
    size: str, width: int, depths: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    found = values(capsys, "cost", f"i_dynamic_dwnet_{size}")
    maps = [(56 // 2**stage) ** 2 * width * 2**stage for stage in range(4)]
    unseen = sum(49 * n * depth for n, depth in zip(maps, depths, strict=True))
    assert found["macs"] - found["torch_macs"] == unseen


def test_every_metric_names_its_counter(capsys: pytest.CaptureFixture[str]) -> None:
    found = values(capsys, "cost", "dwnet_tiny")
    assert set(found["counters"]) < set(found)
    assert "authors" in found["counters"]["paper_macs"]
    assert found["paper_uses"].startswith("paper_macs")
    shown = run(capsys, "cost", "dwnet_tiny")[1]
    assert "24,172,744" in shown
    assert "The paper uses paper_macs" in shown
    assert "No paper_macs" in run(capsys, "cost", "swin_tiny")[1]


def test_cost_of_a_space_is_a_spread(capsys: pytest.CaptureFixture[str]) -> None:
    found = values(capsys, "cost", QUICKSTART, "--samples", "20")
    assert found["params"]["least"] <= found["params"]["median"] <= found["params"]["most"] <= 1.5e6
    assert "seed 0" in found["from"]
    assert found == values(capsys, "cost", QUICKSTART, "--samples", "20")
    assert "median" in run(capsys, "cost", QUICKSTART, "--samples", "20")[1]


# --- count, sample ----------------------------------------------------------------------------


def test_count(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = values(capsys, "count", QUICKSTART)
    space = DesignSpace.from_yaml(QUICKSTART)
    assert found["feasible"] == space.count() < found["without_limits"] == space.size_hint()
    assert found["exact"] is True
    assert f"{found['feasible']:,} networks" in run(capsys, "count", QUICKSTART)[1]

    def refuse(space: DesignSpace) -> int:
        raise SpaceTooLarge("counting needs more than 10 sums")

    monkeypatch.setattr(DesignSpace, "count", refuse)
    code, out, err = run(capsys, "count", QUICKSTART, "--json")
    assert (code, out) == (1, "")
    assert "too large to count exactly: counting needs more than 10 sums" in err
    assert f"{found['without_limits']:,}" in err


def test_sample(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = values(capsys, "sample", QUICKSTART, "-n", "4", "--seed", "3")
    space = DesignSpace.from_yaml(QUICKSTART)
    drawn = [Architecture.from_dict(row["architecture"]) for row in found]
    assert [point.id for point in drawn] == [row["id"] for row in found]
    assert len({point.id for point in drawn}) == 4
    assert all(space.contains(point) for point in drawn)
    assert found == values(capsys, "sample", QUICKSTART, "-n", "4", "--seed", "3")
    assert found != values(capsys, "sample", QUICKSTART, "-n", "4")
    assert found[0]["id"] in run(capsys, "sample", QUICKSTART, "-n", "1", "--seed", "3")[1]
    path = written(tmp_path / "first.json", found[0])
    assert values(capsys, "cost", path)["params"] == found[0]["params"]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_ids_and_names_can_be_copied_from_narrow_terminals(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(output, "_PLAIN_WIDTH", width)
    [drawn] = values(capsys, "sample", QUICKSTART, "-n", "1")
    for words, whole in (
        (("sample", QUICKSTART, "-n", "1"), drawn["id"]),
        (("zoo",), [*ENTRIES][-1]),
    ):
        shown = run(capsys, *words)[1]
        assert whole in shown
        assert max(map(len, shown.splitlines())) <= width


def test_limits_of_memory_are_shown_and_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    limits = {"training_bytes": "180 kB", "inference_bytes": "56 KiB"}
    plain = read_yaml(QUICKSTART)
    path = written(tmp_path / "space.json", plain | {"limits": limits})
    found = values(capsys, "count", path)
    assert found["limits"] == {"training_bytes": 180_000, "inference_bytes": 57_344}
    assert 0 < found["feasible"] < found["without_limits"]
    shown = run(capsys, "count", path)[1]
    assert "training_bytes up to 180,000 and inference_bytes up to 57,344" in shown
    for row in values(capsys, "sample", path, "-n", "3"):
        used = values(capsys, "cost", written(tmp_path / "one.json", row))
        for name, limit in found["limits"].items():
            assert row[name] == used[name] <= limit
    spread = values(capsys, "cost", path, "--samples", "5")
    assert spread["inference_bytes"]["most"] <= 57_344


# --- show -------------------------------------------------------------------------------------


def test_show_draws_stages_and_masks_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "swin_tiny")
    assert (code, err) == (0, "")
    assert "Stage 4: map 7×7, 2 blocks of width 768" in out
    assert "tiles moved" in out
    assert "█" in out


def test_the_masks_are_what_the_axes_say(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = values(capsys, "show", written(tmp_path / "m.json", MIXER), "--map", "6x5")
    positions, channels = found["position_mask"], found["channel_mask"]
    assert (len(positions), len(positions[0])) == (6, 5)
    near = [[int(abs(r - 3) <= 1 and abs(c - 2) <= 1) for c in range(5)] for r in range(6)]
    assert positions == near
    assert [sum(row) for row in channels] == [8] * 32
    assert channels[0][:9] == [1] * 8 + [0]
    assert "Group conv. k3 g4" in run(capsys, "show", str(tmp_path / "m.json"))[1]


@pytest.mark.parametrize("name", ["pvt_like", "resnet_like", "resmlp_like"])
def test_show_as_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = values(capsys, "show", name)
    assert len(found["stages"]) == len(ENTRIES[name].architecture.stages)
    blocks = [sum(m["blocks"] for m in stage["mixers"]) for stage in found["stages"]]
    assert blocks == [stage["depth"] for stage in found["stages"]]


@pytest.mark.parametrize("subject", ["dwnet_tiny", "mixer"])
def test_show_writes_svg_and_png(
    subject: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if subject == "mixer":
        subject = written(tmp_path / "mixer.json", MIXER)
    for suffix in ("svg", "png"):
        path = tmp_path / f"picture.{suffix}"
        assert run(capsys, "show", subject, "--out", str(path)) == (0, "", "")
    root = ElementTree.fromstring((tmp_path / "picture.svg").read_text())
    tags = [child.tag.rpartition("}")[2] for child in root]
    assert tags.count("rect") > 10
    assert tags.count("text") >= 4
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
        assert len(image.getcolors(100_000) or []) > 3


def test_every_mixer_type_can_be_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sizes = {"kernel_size": 3, "groups": 2, "ratio": 2}
    for row in values(capsys, "mixers"):
        fields = {axis: row[axis] for axis in AXES} | {n: sizes[n] for n in row["required"]}
        found = values(capsys, "show", written(tmp_path / "m.json", fields), "--map", "5x6")
        assert any(map(any, found["position_mask"])), mixer_type_named(row["label"])


def test_show_of_a_space_lists_its_stages(capsys: pytest.CaptureFixture[str]) -> None:
    assert "DW-S Conv. (3)" in run(capsys, "show", QUICKSTART)[1]
    found = values(capsys, "show", QUICKSTART)
    assert DesignSpace.from_dict({k: v for k, v in found.items() if k != "without_limits"})


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cost", "dwnet_tny"], "did you mean 'dwnet_tiny'"),
        (["cost", "absent.json"], "cannot be read"),
        (["count", "swin_tiny"], "is a network, and a space file is needed"),
        (["sample", QUICKSTART, "-n", "0"], "0 is not in the range"),
        (["show", "swin_tiny", "--out", "x.gif"], "ends in neither .svg nor .png"),
        (["show", "swin_tiny", "--out", "absent/x.png"], "there is no folder"),
        (["show", QUICKSTART, "--out", "x.png"], "a space has no picture"),
        (["show", "MIXER", "--map", "1x0"], "is no size"),
        (["show", "MIXER", "--map", "999x999"], "is no size"),
        (["show", "MIXER", "--width", "30"], "groups: 4 does not divide 30"),
        (["cost", "MIXER"], "is a token mixer"),
        (["mixers", "--table-1", "--named"], "--table-1: has ten rows of its own"),
        (["paint"], "No such command"),
        (["zoo", "swin"], "did you mean 'swin_"),
    ],
)
def test_bad_input_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mixer = written(tmp_path / "m.json", MIXER)
    code, out, err = run(capsys, *[mixer if word == "MIXER" else word for word in arguments])
    assert (code, out) == (2, "")
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


def test_all_problems_of_a_file_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    network = ENTRIES["dwnet_tiny"].architecture.to_dict()
    network["stages"][0]["depth"] = 0
    network["stages"][1]["mixers"][0]["kernel_size"] = 4
    network["colour"] = "\x1b[31mred"
    code, out, err = run(capsys, "cost", written(tmp_path / "n.json", network))
    assert (code, out) == (2, "")
    assert err.startswith("error: 3 problems\n")
    assert "stages[1].mixers[0].kernel_size" in err
    assert "\x1b" not in err


def without(values: dict[str, Any], *path: Any) -> dict[str, Any]:
    """A deep copy without the field at the end of the path."""
    copied = copy.deepcopy(values)
    inner: Any = copied
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return copied


NETWORK = ENTRIES["dwnet_tiny"].architecture.to_dict()
SPACE = yaml.safe_load(Path(QUICKSTART).read_text())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (without(NETWORK, "head"), "head: this field is required"),
        (without(NETWORK, "head", "classes"), "head.classes: this field is required"),
        (without(NETWORK, "stem"), "stem: this field is required"),
        (without(NETWORK, "stages", 1, "mixers"), "stages[1].mixers: this field is required"),
        (NETWORK | {"limits": {}}, "limits: unknown field; allowed: input, stem"),
        (without(SPACE, "classes"), "classes: this field is required"),
        (without(SPACE, "input"), "input: this field is required"),
        (SPACE | {"head": {}, "version": 2}, "version: 2 is not known"),
        ({"stages": [{"depth": [1, 2], "width": 8}]}, "classes: this field is required"),
        (without(MIXER, "locality"), "locality: this field is required"),
        ({"study": "a", "space": "b.yaml"}, "is the configuration of a search"),
        ({"study": "a", "space": SPACE}, "its space is its field `space`"),
        ({}, "has no field that tells what it describes"),
        ({"colour": "red"}, "has no field that tells what it describes"),
        ([1], "holds no mapping of fields"),
    ],
)
def test_what_is_missing_is_told_as_the_kind_of_file_needs_it(
    content: Any, problem: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = run(capsys, "show", written(tmp_path / "f.json", content))
    assert (code, out) == (2, "")
    assert problem in err
    assert "unknown field; allowed: name" not in err
