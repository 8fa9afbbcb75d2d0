"""Folders of pictures: what they hold decides, each file once, and what is broken is named."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from space.errors import InputError
from tests.trainers.proofs import proves
from tests.trainers.tiny import image_folder, pictures
from trainers import Protocol, UnreadableData, describe_data, open_data
from trainers.data.image_folder.image_index import Inspected
from trainers.data.image_folder.inspection import inspect_files


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MIXSPACE_CACHE", str(cache))
    return cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return image_folder(tmp_path / "images", train=4, val=2)


def protocol() -> Protocol:
    return Protocol.from_dict(
        {
            "data": "image-folder",
            "validation_fraction": 0.25,
            "batch_size": 4,
            "augmentation": {"image_size": 32},
        }
    )


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"name": "image-folder", "folder": str(folder)} | changes


def index(folder: Path, **changes: Any) -> Any:
    return pictures(config(folder, **changes))


def test_pictures_of_equal_names_and_sizes_are_other_data(folder: Path) -> None:
    file = folder / "train/red/extra.bmp"
    hashes = []
    for colour in ("white", "black"):
        Image.new("RGB", (8, 8), colour).save(file)
        hashes.append(describe_data(config(folder), protocol()).content_hash)
    assert hashes[0] != hashes[1]


@proves("augmentation.background")
@pytest.mark.parametrize(("background", "level"), [("white", 255), ("black", 0), ("grey", 128)])
def test_what_shows_through_a_picture_is_the_background(
    folder: Path, background: str, level: int
) -> None:
    for file in folder.rglob("*.png"):
        Image.new("RGBA", (40, 40), (200, 30, 60, 0)).save(file)
    written = protocol().to_dict()
    written["augmentation"] |= {"background": background}
    data = open_data(config(folder), Protocol.from_dict(written))
    plain = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for batches in (data.validation_batches(), data.train_batches(1, 0)):
        pixels = torch.cat([images for images, _ in batches])
        shown = pixels * plain[1][:, None, None] + plain[0][:, None, None]
        assert torch.allclose(shown, torch.full_like(shown, level / 255), atol=1e-5)


BROKEN = {"empty": b"", "page": b"<html></html>", "cut": b"\x89PNG\r\n\x1a\n\0\0"}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_are_refused_by_name_or_left_out_alike(folder: Path, kind: str) -> None:
    whole = describe_data(config(folder), protocol())
    (folder / "train/red/zz.jpg").write_bytes(BROKEN[kind])
    with pytest.raises(InputError, match=r"zz\.jpg is not a readable image[^$]*leave_out"):
        describe_data(config(folder), protocol())
    without = describe_data(config(folder, broken="leave_out"), protocol())
    assert without.content_hash == whole.content_hash
    assert any("left out as broken: 1, such as red/zz.jpg" in said for said in without.remarks)


def test_a_picture_that_is_too_large_is_named(folder: Path) -> None:
    Image.new("1", (14000, 14000)).save(folder / "train/red/panorama.png")
    with pytest.raises(InputError, match=r"panorama\.png is not a readable image \(Image size"):
        describe_data(config(folder), protocol())


def test_each_real_file_once_and_nothing_hidden(folder: Path) -> None:
    plain = index(folder)
    red = folder / "train/red"
    (red / "self").symlink_to(red)
    (red / "up").symlink_to(folder / "train")
    (red / "again.png").symlink_to(red / "000.png")
    (red / "._x.jpg").write_bytes(b"x")
    (red / "notes.txt").write_bytes(b"x")
    (folder / "train/.ipynb_checkpoints").mkdir()
    (folder / "train/all").symlink_to(folder / "train")
    found = index(folder)
    assert (found.files, found.classes) == (plain.files, plain.classes)
    said = "; ".join(found.remarks)
    for part in ("1 .txt", "begins with a dot: 2", "links to the same file: 1"):
        assert part in said


def test_links_to_nothing_and_names_that_are_no_text_are_handled(folder: Path) -> None:
    (folder / "train/red/gone.png").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"gone\.png is not a readable image \(a link to nothing"):
        index(folder)
    (folder / "train/red/gone.png").unlink()
    name = os.fsdecode(b"\xe9.png")
    Image.new("RGB", (8, 8)).save(folder / "train/red/ok.png")
    (folder / "train/red/ok.png").rename(folder / "train/red" / name)
    assert f"red/{name}" in index(folder).files
    (folder / "train/red" / name).write_bytes(b"")
    with pytest.raises(InputError) as error:
        index(folder)
    assert "udce9.png is not" in str(error.value).encode("latin-1").decode("latin-1")


def test_pictures_in_both_parts_are_counted(folder: Path) -> None:
    (folder / "val/red/copy.png").write_bytes((folder / "train/red/000.png").read_bytes())
    said = describe_data(config(folder), protocol()).remarks
    assert any(
        "1 picture is both in train/ and in val/, such as train/red/000.png and val/red" in each
        for each in said
    )


@pytest.mark.parametrize("layout", ["flat", "train only"])
def test_a_folder_without_val_keeps_a_part_for_the_test(folder: Path, layout: str) -> None:
    root = folder if layout == "train only" else folder / "train"
    (folder / "val").rename(folder.parent / "elsewhere")
    chosen = config(root, test_fraction=0.25)
    train, test = (set(pictures(chosen, part).files) for part in ("train", "test"))
    assert (len(train), len(test)) == (9, 3)
    assert not train & test


def test_a_worker_compares_the_listing_and_reads_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = describe_data(config(folder), protocol())
    assert described.inspected is not None
    told = Inspected.from_dict(described.inspected.to_dict())
    monkeypatch.setattr("trainers.data.image_folder.indexing.inspect_files", None)
    opened = open_data(config(folder), described.protocol, told)
    assert opened.description.content_hash == described.content_hash
    (folder / "train/red/000.png").unlink()
    with pytest.raises(UnreadableData, match="train/red does not hold the files"):
        open_data(config(folder), described.protocol, told)


def test_what_was_read_is_taken_over_and_a_damaged_cache_is_not_missed(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.data.image_folder.inspection_cache._SETTLED_NS", 0)
    names = index(folder).files
    first = inspect_files(folder / "train", names, "full")
    with monkeypatch.context() as patch:
        patch.setattr("trainers.data.image_folder.inspection._look_at", None)
        assert inspect_files(folder / "train", names, "full") == first
    for file in own_cache.iterdir():
        file.write_bytes(b"no database" * 500)
    assert inspect_files(folder / "train", names, "full") == first


def test_the_chance_level_is_that_of_the_commonest_class(folder: Path) -> None:
    for number in range(8):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / f"train/red/more{number}.png")
    found = describe_data(config(folder), protocol())
    assert found.chance == pytest.approx(3 / 5)
    assert np.isclose(found.told()["chance"], 3 / 5)
