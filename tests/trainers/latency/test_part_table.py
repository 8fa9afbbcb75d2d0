"""A table goes into a file and comes back, and one of another device says nothing of this one."""

import errno
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from space.errors import InputError
from tests.space.spaces import small
from tests.support.made_up_meter import DEVICE, figure, part_ms
from trainers.latency import Latency, LatencySpec, PartTable, parts_of, parts_of_space


def slow(place: int) -> float:
    """By how much: one part met a lucky moment, which is nobody's pace, and all later ones less."""
    return 0.8 if place == 7 else 1.0 + place / 10


def table(spec: LatencySpec | None = None, **device: Any) -> PartTable:
    parts = list(parts_of_space(small()))[:12]
    figures = {part: figure(part_ms(part), gauge_ms=slow(i)) for i, part in enumerate(parts)}
    return PartTable(spec or LatencySpec(), replace(DEVICE, **device), figures)


def test_a_table_is_read_back(tmp_path: Path) -> None:
    mine = table()
    mine.save(tmp_path / "table.json")
    again = PartTable.load(tmp_path / "table.json")
    assert again == mine
    assert again.setting == mine.setting
    assert again.pace == 1.0


def test_a_table_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = table()
    mine.save(tmp_path / "table.json")

    def full(self: Path, text: str) -> int:
        with self.open("w") as file:
            file.write(text[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"--out: .* cannot be written: No space left on device"):
        mine.save(tmp_path / "table.json")
    assert PartTable.load(tmp_path / "table.json") == mine
    assert [each.name for each in tmp_path.iterdir()] == ["table.json"]


def test_parts_of_a_slow_phase_are_brought_to_the_quickest_pace() -> None:
    mine = table()
    for i, (part, ms) in enumerate(mine.milliseconds().items()):
        assert ms == pytest.approx(part_ms(part) / slow(i))
    mine.figures = {part: replace(each, gauge_ms=None) for part, each in mine.figures.items()}
    assert mine.milliseconds() == {part: part_ms(part) for part in mine.figures}


def test_only_what_is_lacking_is_taken_in() -> None:
    mine, other = table(), table()
    first = next(iter(mine.figures))
    mine.figures = {first: figure(9.0)}
    assert mine.take_in(other) == len(other.figures) - 1
    assert mine.figures[first].median_ms == 9.0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (table(name="another"), "name 'another', and here 'a made-up device'"),
        (table(driver="driver 2"), "driver 'driver 2'"),
        (table(versions={"torch": "2"}), "torch '2', and here '1'"),
        (table(cores=4), "cores 4, and here 2"),
        (table(LatencySpec(threads=2)), "threads 2, and here 1"),
        (table(LatencySpec(batch=8)), "batch 8, and here 1"),
    ],
)
def test_a_table_of_another_setting_is_refused(other: PartTable, said: str) -> None:
    mine = table()
    with pytest.raises(InputError, match="was measured elsewhere or otherwise") as refused:
        mine.take_in(other, "other.json")
    assert refused.value.problems[0].where == "other.json"
    assert said in str(refused.value)
    assert mine == table()
    assert mine.setting != other.setting


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"format": "2"}, "file"),
        ({"parts": 3}, "file.parts"),
        ({"spec": {"device": "tpu"}}, "file.spec.device"),
        ({"device": {}}, "file.device"),
        ({"parts": [{}]}, "file.parts[0]"),
        ({"parts": [{"part": {"kind": 1}, "latency": {}}]}, "file.parts[0].part"),
        ({"parts": [{"part": {"kind": 1}, "latency": 3}]}, "file.parts[0].latency"),
        ({"parts": [{"part": "stem", "latency": {}}]}, "file.parts[0].part"),
    ],
)
def test_what_is_no_table_is_refused(change: dict[str, Any], where: str) -> None:
    values = json.loads(json.dumps(table().to_dict())) | change
    with pytest.raises(InputError) as refused:
        PartTable.from_dict(values, "file")
    assert refused.value.problems[0].where == where


@pytest.mark.parametrize("median", [0, -1.0, "x", None])
def test_no_time_is_below_zero(median: Any) -> None:
    values = json.loads(json.dumps(table().to_dict()))
    values["parts"][3]["latency"]["median_ms"] = median
    with pytest.raises(InputError, match="no measured latency"):
        PartTable.from_dict(values)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        PartTable.load(tmp_path / "none.json")
    (tmp_path / "no.json").write_text("{")
    with pytest.raises(InputError):
        PartTable.load(tmp_path / "no.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "2"}, "t: is no latency table of this program ('mixspace latency table 1')"),
        ({"parts": {}}, "t.parts: must be a list"),
        ({"parts": [{"part": 1}]}, "t.parts[0]: must have part and latency"),
        ({"parts": [{"part": {}, "latency": []}]}, "t.parts[0].latency: must be a mapping"),
    ],
)
def test_what_is_no_table_is_refused_in_words(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        PartTable.from_dict(table().to_dict() | change, "t")
    assert str(refused.value) == said


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table().to_dict() | {"parts": 1}))
    with pytest.raises(InputError) as refused:
        PartTable.load(path)
    assert str(refused.value) == f"{path}.parts: must be a list"
    path.unlink()
    with pytest.raises(InputError) as refused:
        PartTable.load(path)
    assert str(refused.value).startswith(f"table: {path} cannot be read: ")


def test_what_is_no_latency_says_why() -> None:
    values = figure(2.0).to_dict()
    assert Latency.from_dict({n: v for n, v in values.items() if n != "reasons"}).quiet
    with pytest.raises(InputError) as refused:
        Latency.from_dict(values | {"low_ms": 0.0})
    said = "latency: is no measured latency (times must be above 0)"
    assert str(refused.value) == said
    with pytest.raises(InputError) as refused:
        Latency.from_dict(values | {"high_ms": float("inf")})
    assert str(refused.value) == said


def test_parts_of_a_network_that_a_table_has_not_are_named() -> None:
    network = next(iter(small().enumerate()))
    needed = list(parts_of(network))
    mine = table()
    mine.figures = {part: figure(1.0) for part in needed[1:3]}
    assert mine.missing(network) == [needed[0], *needed[3:]]
    mine.figures |= dict.fromkeys(needed, figure(1.0))
    assert mine.missing(network) == []
