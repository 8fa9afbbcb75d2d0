"""Architectures: one form, one id, and refusals with paths."""

import dataclasses
import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space import Architecture, InputError
from space.architecture import Head, Input, Stage, Stem
from space.networks import build
from tests.space.spaces import TINY, everything, paper_network
from tests.space.test_mixer import CONVOLUTION, junk

SMALL: dict[str, Any] = {
    "input": {"channels": 1, "height": 28, "width": 28},
    "stem": {"patch_size": 4},
    "block_type": "conv",
    "stages": [{"depth": 2, "width": 16, "mlp_ratio": 2, "mixers": [CONVOLUTION]}],
    "head": {"classes": 10},
}


def with_mixers(*mixers: dict[str, Any], depth: int = 2, **stage: Any) -> Architecture:
    fields = {"depth": depth, "width": 16, "mlp_ratio": 2, "mixers": list(mixers)} | stage
    return Architecture.from_dict(SMALL | {"stages": [fields]})


def attention(locality: str, **fields: Any) -> dict[str, Any]:
    mixer_type = {
        "channels": "separable",
        "rank": "full",
        "sharing": "channel",
        "dynamics": "attention",
    }
    return {"locality": locality, "heads": 2} | mixer_type | fields


def test_json_gives_the_architecture_back() -> None:
    rng = np.random.default_rng(0)
    space = everything()
    for _ in range(50):
        architecture = space.sample(rng)
        copy = Architecture.from_json(architecture.to_json())
        assert (copy, copy.id, hash(copy)) == (architecture, architecture.id, hash(architecture))


def test_ids_are_the_same_in_every_process_and_release() -> None:
    known = {
        "dwnet_tiny": (paper_network("dw-s conv.", TINY, kernel_size=7).id),
        "small": Architecture.from_dict(SMALL).id,
    }
    program = (
        "import json, sys\nfrom space import Architecture\n"
        "print(Architecture.from_dict(json.loads(sys.argv[1])).id)"
    )
    command = [sys.executable, "-c", program, json.dumps(SMALL)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == known["small"]
    assert known == GOLDEN


GOLDEN = {"dwnet_tiny": "f4ccb29fb396cc4b", "small": "522b259f1dfd6cf0"}


def test_equal_networks_have_one_id() -> None:
    covering = with_mixers(attention("window", kernel_size=7, position_bias=False))
    assert covering == with_mixers(attention("global"))
    assert with_mixers(CONVOLUTION, CONVOLUTION) == with_mixers(CONVOLUTION)
    grouped = CONVOLUTION | {"channels": "grouped", "groups": 16}
    assert with_mixers(grouped) == with_mixers(CONVOLUTION)
    window = attention("window", kernel_size=3)
    still = window | {"shift": False}
    assert with_mixers(window, depth=1) == with_mixers(still, depth=1)
    assert with_mixers(still, window) == with_mixers(window)
    assert with_mixers(still) != with_mixers(window)
    assert with_mixers(CONVOLUTION, mlp_ratio=2.0).id == with_mixers(CONVOLUTION, mlp_ratio=2).id


def test_options_are_in_the_id_only_where_a_network_has_them() -> None:
    plain = Architecture.from_dict(SMALL)
    overlap, pool = (
        Architecture.from_dict(SMALL | {"stem": {"patch_size": 4, "type": kind}})
        for kind in ("overlap", "pool")
    )
    assert (overlap.stem.kernel_size, overlap.stem.stride) == (7, 4)
    assert (pool.stem.kernel_size, pool.stem.stride) == (5, 2)
    assert len({plain.id, overlap.id, pool.id}) == 3
    assert (plain.stem.label, pool.stem.label) == ("patch 4×4", "pool 4×4")
    assert [Architecture.from_json(one.to_json()) for one in (overlap, pool)] == [overlap, pool]
    assert Stem(1, "overlap") == Stem(1)
    with pytest.raises(InputError, match=r"type: pool needs an even patch_size; got 3"):
        Stem(3, "pool")
    scaled = [
        Architecture.from_dict(SMALL | {"block_type": block_type, "layer_scale": 1})
        for block_type in ("convnext", "prenorm")
    ]
    assert Architecture.from_json(scaled[0].to_json()) == scaled[0]
    assert scaled[0] != dataclasses.replace(scaled[0], layer_scale=1e-6)
    assert scaled[1] == Architecture.from_dict(SMALL | {"block_type": "prenorm"})
    network = build(scaled[0])
    assert all((block.scale == 1).all() for stage in network.stages for block in stage)


def test_problems_are_told_all_at_once_with_their_paths() -> None:
    broken = json.loads(json.dumps(SMALL))
    broken["stages"].append(
        {"depth": 0, "width": 16, "mlp_ratio": 2, "mixers": [CONVOLUTION | {"kernel_size": 2}]}
    )
    broken["colour"] = "blue"
    broken["head"] = {}
    with pytest.raises(InputError) as refusal:
        Architecture.from_dict(broken, "architecture")
    assert {problem.where for problem in refusal.value.problems} == {
        "architecture.stages[1].depth",
        "architecture.stages[1].mixers[0].kernel_size",
        "architecture.colour",
        "architecture.head.classes",
    }


def test_counts_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(InputError, match=r"stages\[0\]\.mixers\[0\]\.heads: 3 does not divide 16"):
        with_mixers(attention("global", heads=3))
    with pytest.raises(InputError, match=r"mlp_ratio: 0.33 of width 16 is not a whole number"):
        with_mixers(CONVOLUTION, mlp_ratio=0.33)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Input, {"height": 0, "width": "28"}),
        (Stem, {"patch_size": 0}),
        (Stage, {"depth": 0, "mixers": ()}),
        (Stage, {"width": 65537, "mlp_ratio": float("nan")}),
        (Stage, {"mixers": (None,)}),
        (Head, {"classes": -1, "norm": "between"}),
        (Head, {"classes": True}),
        (Architecture, {"block_type": "cnv"}),
        (Architecture, {"stages": (), "downsample": 3}),
        (Architecture, {"input": None, "stem": 4}),
    ],
)
def test_a_constructor_refuses_what_a_file_may_not_say(kind: Any, broken: dict[str, Any]) -> None:
    """The same problems, with the same paths, as in the form of a file."""
    whole = Architecture.from_dict(SMALL)
    parts = {Input: whole.input, Stem: whole.stem, Stage: whole.stages[0], Head: whole.head}
    good = parts.get(kind, whole)
    fields = {field.name: getattr(good, field.name) for field in dataclasses.fields(kind)}
    with pytest.raises(InputError) as refusal:
        kind(**fields | broken)
    place = {Input: "input", Stem: "stem", Stage: "stages", Head: "head"}.get(kind)
    written: Any = SMALL[place] if place else SMALL
    written = written[0] if kind is Stage else written
    read = dict(written) | broken
    if place:
        read = SMALL | {place: [read] if kind is Stage else read}
    prefix = {Stage: "stages[0].", Architecture: ""}.get(kind, f"{place}.")
    with pytest.raises(InputError) as of_file:
        Architecture.from_dict(read)
    told = {prefix + str(problem) for problem in refusal.value.problems}
    assert told == {str(problem) for problem in of_file.value.problems}
    named = {problem.where.partition("[")[0] for problem in refusal.value.problems}
    assert named == set(broken)


def test_a_constructor_takes_a_list_as_a_file_may() -> None:
    stage = Architecture.from_dict(SMALL).stages[0]
    listed: Any = list(stage.mixers)
    assert Stage(stage.depth, stage.width, stage.mlp_ratio, listed) == stage


def test_the_first_name_of_the_block_type_is_read_and_the_id_is_the_same() -> None:
    first = {"scaffold" if name == "block_type" else name: v for name, v in SMALL.items()}
    assert Architecture.from_dict(first) == Architecture.from_dict(SMALL)
    assert "scaffold" not in Architecture.from_dict(first).to_dict()
    with pytest.raises(
        InputError,
        match=r"^a\.scaffold: is now called 'block_type', which is given too: give it once",
    ):
        Architecture.from_dict(SMALL | first, "a")


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(InputError, match="version: 2 is not known; allowed: 1"):
        Architecture.from_dict(SMALL | {"version": 2})


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nul", '{"stages": 1e999}'])
def test_text_that_is_no_architecture_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        Architecture.from_json(text)


@given(st.dictionaries(st.sampled_from([*SMALL, "version", "x"]), junk, max_size=4))
@settings(max_examples=100)
def test_junk_gives_nothing_but_input_errors(changes: dict[str, Any]) -> None:
    with suppress(InputError):
        Architecture.from_dict(SMALL | changes)
