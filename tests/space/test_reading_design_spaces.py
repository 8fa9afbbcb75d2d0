"""Design spaces as they are written: read back, and refused with every problem."""

import copy
from pathlib import Path
from typing import Any

import pytest

from space import DesignSpace, InputError, cost
from space.design import Limits
from space.wording import as_written
from tests.space.spaces import SMALL, every_point, small


def test_a_space_can_be_written_and_read_back(tmp_path: Path) -> None:
    import yaml

    space = small(limits={"flops": "2M"})
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump(space.to_dict()))
    again = DesignSpace.from_yaml(path)
    assert again.to_dict() == space.to_dict()
    assert again.limits.macs == 2_000_000
    assert again.size_hint() == space.size_hint()


def refusal(**changes: Any) -> dict[str, str]:
    with pytest.raises(InputError) as error:
        DesignSpace.from_dict(copy.deepcopy(SMALL) | changes, "space")
    return {problem.where: problem.message for problem in error.value.problems}


def test_all_problems_of_a_space_are_told_at_once() -> None:
    found = refusal(
        colour="blue",
        classes=0,
        block_type=["conv", "ladder"],
        stages=[{"depth": 1.5, "width": [], "mlp_ratio": 2}],
    )
    assert set(found) == {
        "space.colour",
        "space.classes",
        "space.block_type[1]",
        "space.stages[0].depth[0]",
        "space.stages[0].width",
    }
    found = refusal(
        mixers=["dw-s cnov", {"operator": "vit", "kernel_size": 3}, {"locality": "windo"}],
        limits={"params": "many", "watts": 3},
    )
    assert set(found) == {
        "space.mixers[0].operator",
        "space.mixers[1].kernel_size",
        "space.mixers[2].locality",
        "space.limits.params",
        "space.limits.watts",
    }
    assert "allowed: global, window, sliding" in found["space.mixers[2].locality"]


@pytest.mark.parametrize("names", [("macs", "flops"), ("flops", "macs")])
def test_a_limit_by_both_of_its_names_is_refused(names: tuple[str, str]) -> None:
    found = refusal(limits=dict(zip(names, ("2M", "3M"), strict=True)))
    assert found == {"space.limits.flops": "is the same metric as space.limits.macs, give it once"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("512 MiB", 512 * 2**20),
        ("2gb", 2 * 10**9),
        ("1.5 GiB", 3 * 2**29),
        ("800k", 800_000),
        ("64ki", 2**16),
        ("7000 B", 7000),
        ("5e8", 5 * 10**8),
        (12_345, 12_345),
    ],
)
def test_limits_of_bytes_are_read_with_their_units(written: str | int, meant: int) -> None:
    limits = Limits.from_dict({"training_bytes": written, "inference_bytes": written}, "limits")
    assert limits == Limits(training_bytes=meant, inference_bytes=meant)


@pytest.mark.parametrize("value", ["many", "3 apples", "-1 MB", "", "MiB", "1 mb 2", 0, True, None])
def test_what_is_no_number_of_bytes_is_refused(value: object) -> None:
    message = refusal(limits={"inference_bytes": value})["space.limits.inference_bytes"]
    allowed = "must be a number of bytes such as 500000000, 512 MiB or 2 GB"
    assert message == f"{allowed}; got {as_written(value)}"


def test_a_limit_of_latency_is_refused_with_the_reason() -> None:
    message = refusal(limits={"latency": "5 ms", "params": 3})["space.limits.latency"]
    assert message.startswith("latency has no closed form")
    assert message.endswith("allowed: params, macs (flops), training_bytes, inference_bytes")


@pytest.mark.parametrize(
    ("line", "where", "message"),
    [
        ({"operator": "dw-s conv", "kernel_size": [3, 4]}, "[0].kernel_size", "odd"),
        ({"operator": "dw-s conv"}, "[0].kernel_size", "required"),
        ({"operator": "group conv.", "kernel_size": 3}, "[0].groups", "required"),
        ({"locality": "window", "sharing": "position", "kernel_size": 3}, "[0]", "rule 4"),
        ({"operator": "vit", "locality": "window"}, "[0].locality", "either"),
        ("window/dense/full/both/static", "[0].operator", "rule 5"),
        ({"operator": "vit", "heads": 5}, "[0].heads", "5 does not divide"),
        ([], "[0]", "not an operator's name"),
    ],
)
def test_a_line_that_stands_for_no_mixer_is_refused(line: Any, where: str, message: str) -> None:
    assert message in refusal(mixers=[line])[f"space.mixers{where}"]


def test_what_fits_no_width_of_a_stage_is_told_with_what_would() -> None:
    conv = {"operator": "dw-s conv", "kernel_size": 3}
    local = {"operator": "local vit", "kernel_size": 7, "heads": [1, 5]}
    grouped = {"operator": "group conv.", "kernel_size": 3, "groups": [5, 7]}
    narrow = {"operator": "bottleneck", "kernel_size": 3, "ratio": 64}
    stages: list[dict[str, Any]] = [
        {"depth": 1, "width": [32, 48], "mixers": [grouped, {**local, "heads": 5}]},
        {"depth": 1, "width": 32, "mixers": [grouped, local]},
        {"depth": 1, "width": 32, "mlp_ratio": [0.33, 0.4], "mixers": [conv]},
        {"depth": 1, "width": 32, "mixers": [narrow]},
        # One width fits the mixer, the other the ratio.
        {"depth": 1, "width": [25, 32], "mlp_ratio": 0.5, "mixers": [{**local, "heads": 5}]},
    ]
    with pytest.raises(InputError) as refused:
        DesignSpace.from_dict(small().to_dict() | {"stages": stages}, "space")
    assert [str(problem) for problem in refused.value.problems] == [
        "space.stages[0].mixers[0].groups: 5 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[0].groups: 7 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[1].heads: 5 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[0].groups: 5 does not divide 48 channels; 4 and 6 do",
        "space.stages[0].mixers[0].groups: 7 does not divide 48 channels; 6 and 8 do",
        "space.stages[0].mixers[1].heads: 5 does not divide 48 channels; 4 and 6 do",
        "space.stages[2].mlp_ratio: 0.33 of width 32 does not give whole channels",
        "space.stages[2].mlp_ratio: 0.4 of width 32 does not give whole channels",
        "space.stages[3].mixers[0].ratio: 64 does not divide the width 32; 32 does",
        "space.stages[4].mlp_ratio: 0.5 of width 25 does not give whole channels",
        "space.stages[4].mixers[0].heads: 5 does not divide 32 channels; 4 and 8 do",
    ]


def test_of_very_many_misfits_the_first_are_told() -> None:
    line = {"operator": "vit", "heads": list(range(100, 200))}
    stage = {"depth": 1, "width": 32, "mixers": [line]}
    with pytest.raises(InputError) as refused:
        DesignSpace.from_dict(small().to_dict() | {"stages": [stage]})
    assert len(refused.value.problems) == 21
    assert str(refused.value.problems[-1]) == "stages[0]: 80 more values do not fit its widths"


def test_a_space_without_a_feasible_point_is_refused_with_the_least_costs() -> None:
    message = refusal(limits={"params": 500})["space.limits"]
    least = min(cost(point).params for point in every_point(small()))
    assert f"the least params are {least:,} (limit 500)" in message


@pytest.mark.parametrize("text", ["{", "- 1", "a: &a [*a]", "\x00", "!!python/object:os.system {}"])
def test_files_that_are_no_space_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        DesignSpace.from_yaml(path)
    with pytest.raises(InputError, match="there is no file"):
        DesignSpace.from_yaml(tmp_path / "missing.yaml")
