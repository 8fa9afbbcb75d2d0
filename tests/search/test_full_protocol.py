"""The protocol of a full training: what may be chosen, and what belongs to the search."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from search.config import full_protocol
from space.errors import InputError
from space.input.shipped import folder_of, names_of
from trainers import Protocol

SEARCH = Protocol(
    epochs=2,
    batch_size=50,
    warmup_epochs=0.5,
    split_seed=7,
    validation_fraction=0.3,
    content_hash="c" * 16,
    split_hash="d" * 16,
    initialisation="inherited",
)


def written(folder: Path, values: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_without_a_protocol_it_is_that_of_the_search_from_scratch() -> None:
    found = full_protocol(SEARCH)
    same = {"initialisation": "scratch", "split_hash": None}
    assert found == SEARCH.model_copy(update=same)


@pytest.mark.parametrize("whole", [False, True])
def test_a_file_has_the_fields_or_a_configuration_around_them(
    tmp_path: Path, *, whole: bool
) -> None:
    fields = {"epochs": 40, "optimizer": "adamw", "augmentation": {"flip": 0.25}}
    values = {"study": "x", "trials": 3, "protocol": fields} if whole else fields
    found = full_protocol(SEARCH, written(tmp_path, values), ["protocol.epochs=50"])
    assert (found.epochs, found.augmentation.flip) == (50, 0.25)
    assert found.batch_size == Protocol().batch_size  # a recipe is whole: no field of the search's
    assert (found.split_seed, found.validation_fraction) == (7, 0.3)
    assert (found.content_hash, found.split_hash) == ("c" * 16, None)
    assert found.initialisation == "scratch"


def test_a_protocol_comes_with_the_program_by_its_name() -> None:
    assert {"small-images-30", "small-images-100"} <= set(names_of("protocol"))
    assert full_protocol(SEARCH, "small-images-30").epochs == 30
    for name in names_of("protocol"):
        fields = yaml.safe_load((folder_of("protocol") / f"{name}.yaml").read_text())
        data = "image-folder" if name.startswith("imagenet") else "fashion-mnist"
        Protocol.from_dict({"data": data} | fields)
        assert not {"split_seed", "content_hash", "validation_fraction"} & set(fields)


def test_an_object_is_taken_as_it_is() -> None:
    asked = Protocol(epochs=9, split_seed=7, validation_fraction=0.3)
    assert full_protocol(SEARCH, asked).content_hash == "c" * 16
    with pytest.raises(InputError, match=r"protocol\.split_seed: must be 7: the split is that of"):
        full_protocol(SEARCH, Protocol(epochs=9, validation_fraction=0.3))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"split_seed": 8}, r"protocol\.split_seed: must be 7: .*; got 8"),
        ({"validation_fraction": 0.2}, r"protocol\.validation_fraction: must be 0\.3: "),
        ({"initialisation": "inherited"}, r"must be 'scratch' or 'finetuned': .*; got 'inherited'"),
        ({"data": "image-folder"}, r"protocol\.data: must be 'fashion-mnist'"),
        ({"content_hash": "e" * 16}, r"protocol\.content_hash: must be 'c+', or null for other"),
        ({"epoch": 3}, r"protocol\.epoch: .*epochs"),
        ({"epochs": 0}, r"protocol\.epochs: .*got 0"),
        ({"protocol": 3}, r"protocol\.protocol"),
        ([1, 2], "must hold a mapping of fields"),
        ({"study": "x", "trials": 3}, r"protocol\.study"),
    ],
)
def test_what_does_not_go_is_refused_by_its_field(tmp_path: Path, values: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        full_protocol(SEARCH, written(tmp_path, values))


def test_the_size_of_the_images_belongs_to_the_architecture(tmp_path: Path) -> None:
    search = Protocol.from_dict({"data": "image-folder", "augmentation": {"image_size": 64}})
    assert full_protocol(search, written(tmp_path, {"epochs": 9})).augmentation.image_size == 64
    other = written(tmp_path, {"augmentation": {"image_size": 96}})
    said = r"protocol\.augmentation\.image_size: must be 64: the input size .*; got 96"
    with pytest.raises(InputError, match=said):
        full_protocol(search, other)
    with pytest.raises(InputError, match=said):
        full_protocol(search, None, ["protocol.augmentation.image_size=96"])


def test_a_file_that_is_not_there_is_refused_with_the_names_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="small-images-30") as caught:
        full_protocol(SEARCH, str(tmp_path / "lost.yaml"))
    assert caught.value.problems[0].where == "protocol"
    with pytest.raises(InputError, match="did you mean 'small-images-30'"):
        full_protocol(SEARCH, "small-image-30")


@pytest.mark.parametrize("text", ["protocol=3", "protocol.epochs=many", "protocol.epochs"])
def test_bad_changes_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        full_protocol(SEARCH, None, [text])


def test_other_images_are_asked_for_by_name() -> None:
    assert full_protocol(SEARCH, None, ["protocol.content_hash=null"]).content_hash is None
