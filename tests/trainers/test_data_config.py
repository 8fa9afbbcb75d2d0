"""Configurations of data: each kind has its own fields, and stored ones go on reading."""

from pathlib import Path
from typing import Any, get_args

import pytest

from search.config import Config, merged_for_resume
from space.errors import InputError
from tests.search.small import config as study_config
from trainers import DataConfig
from trainers.data.data_config import EARLIER, as_meant_then
from trainers.data.data_kind import DataKind
from trainers.data.registry import DEFAULT, PLACES, kind_of
from trainers.protocol import DataName, Decoded

PLACE = str(Path("/x"))
LEAST: dict[str, dict[str, Any]] = {
    "fashion-mnist": {},
    "npz": {"file": PLACE},
    "timm": {"dataset": "folder", "folder": PLACE},
}
"""What has to be written; of other kinds the folder."""


def least(name: str) -> dict[str, Any]:
    return {"name": name} | LEAST.get(name, {"folder": PLACE})


def refused(values: dict[str, Any]) -> list[str]:
    with pytest.raises(InputError) as error:
        DataConfig.from_dict(values)
    return [str(problem) for problem in error.value.problems]


def test_protocols_know_the_kinds_that_there_are() -> None:
    assert set(PLACES) == set(get_args(DataName))
    assert DEFAULT in PLACES
    for name in PLACES:
        kind = kind_of(name)
        assert issubclass(kind, DataKind)
        assert issubclass(kind.Config, DataConfig)
        assert kind.Config.model_fields["name"].default == name
        assert ("workers" in kind.Config.model_fields) == (name in get_args(Decoded))


@pytest.mark.parametrize("name", PLACES)
def test_every_field_of_every_kind_is_told_in_its_docstring(name: str) -> None:
    told = "".join(each.__doc__ or "" for each in kind_of(name).Config.__mro__)
    for field in kind_of(name).Config.model_fields:
        assert field in told, field


@pytest.mark.parametrize("name", PLACES)
def test_what_an_earlier_release_wrote_of_every_data_set_is_read(name: str) -> None:
    """It wrote all fields, also those that meant nothing, and took any value of them."""
    written = EARLIER | {"limit_train": 9, "limit_validation": None} | least(name)
    read = DataConfig.from_dict(written)
    assert (read.name, read.limit_train) == (name, 9)
    strange = written | {"workers": 3, "check": "none"}
    meant = as_meant_then(strange)
    assert DataConfig.from_dict(meant).to_dict()["limit_train"] == 9
    has_workers = "workers" in kind_of(name).Config.model_fields
    assert meant.get("workers") == (3 if has_workers else None)
    if not has_workers:
        assert sorted(line.split(":")[0] for line in refused(strange)) == [
            "data.check",
            "data.workers",
        ]


def test_a_field_of_another_kind_is_refused_with_the_kinds_that_have_it() -> None:
    assert refused({"workers": 2, "labels": "x"}) == [
        "data.workers: only where name is 'image-folder' or 'tar-shards' or 'timm', and it is "
        "'fashion-mnist'; got 2",
        "data.labels: only where name is 'image-folder', and it is 'fashion-mnist'; got 'x'",
    ]
    assert refused({"workers": False}) == [
        "data.workers: only where name is 'image-folder' or 'tar-shards' or 'timm', and it is "
        "'fashion-mnist'; got false"
    ]
    (said,) = refused({"name": "image-foldr", "folder": PLACE})
    assert "data.name: must be 'fashion-mnist', 'image-folder', 'tar-shards'" in said
    assert said.endswith("got 'image-foldr'; did you mean 'image-folder'?")
    assert [line.split(":")[0] for line in refused({"name": 7, "folder": 1})] == [
        "data.name",
        "data.folder",
    ]


def test_the_general_name_makes_one_of_the_kind() -> None:
    for name in PLACES:
        found = DataConfig(**least(name))
        assert type(found) is kind_of(name).Config
        assert found == DataConfig.from_dict(least(name)) == found.model_copy()
    with pytest.raises(InputError, match=r"name: must be "):
        DataConfig(name="x")


def stored_of_the_release_before(tmp_path: Path, **data: Any) -> dict[str, Any]:
    folder = {"name": "image-folder", "folder": str(tmp_path)} | data
    given = study_config(tmp_path, data=folder, protocol={"data": "image-folder"})
    stored = given.to_stored()
    stored["data"] = EARLIER | {
        name: value for name, value in stored["data"].items() if name not in ("labels", "layout")
    }
    return stored


def test_a_study_of_the_release_before_is_resumed_with_its_layout(tmp_path: Path) -> None:
    stored = stored_of_the_release_before(tmp_path)
    data = {"name": "image-folder", "folder": str(tmp_path / "moved"), "workers": 2}
    given = study_config(tmp_path, data=data, protocol={"data": "image-folder"})
    resumed, remarks = merged_for_resume(stored, given)
    assert remarks == []
    assert resumed.data.to_dict() == given.data.to_dict() | {"layout": "train_val"}
    assert Config.from_stored(stored | {"store": "x.db"}).data.to_dict()["layout"] == "train_val"
    named = study_config(
        tmp_path, data=data | {"layout": "named"}, protocol={"data": "image-folder"}
    )
    with pytest.raises(InputError, match=r"data\.layout: the study was made with 'train_val'"):
        merged_for_resume(stored, named)


def test_a_study_of_today_keeps_the_layout_of_today(tmp_path: Path) -> None:
    data = {"name": "image-folder", "folder": str(tmp_path)}
    given = study_config(tmp_path, data=data, protocol={"data": "image-folder"})
    resumed, _ = merged_for_resume(given.to_stored(), given)
    assert resumed.data == given.data
