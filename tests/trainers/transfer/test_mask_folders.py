"""Folders of ADE20K's shape and plainer ones, as they are laid out, and what is wrong with some."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.scene_folders import index_mask
from tests.trainers.transfer.folders import ADE_CLASSES, TRAIN, VALIDATION, ade20k, refusal
from trainers.transfer.data import SegmentationChanges, open_data
from trainers.transfer.data.transfer_data import SegmentationData

CHANGES = SegmentationChanges(crop=64, shortest=60, longest=200)


def opened(folder: Path, **fields: Any) -> SegmentationData:
    return open_data({"folder": folder, **fields}, "segmentation")


def plain(folder: Path) -> Path:
    """images/ and masks/ with train/ and val/ in each, all numbers counting from 0."""
    ade20k(folder)
    (folder / "objectInfo150.txt").unlink()
    (folder / "annotations").rename(folder / "masks")
    for kind in ("images", "masks"):
        (folder / kind / "training").rename(folder / kind / "train")
        (folder / kind / "validation").rename(folder / kind / "val")
    return folder


def masks_of(data: SegmentationData) -> list[NDArray[np.int64]]:
    """In the order of sizes, which is that of the files but for the pictures on their side."""
    return [mask.numpy() for _, masks in data.validation(CHANGES) for mask in masks]


def in_order_of_sizes() -> list[NDArray[np.uint8]]:
    masks = [index_mask(scene, ADE_CLASSES) for scene in VALIDATION]
    return sorted(masks, key=lambda mask: mask.shape)


def rewrite(path: Path, edit: Callable[[NDArray[np.uint8]], Any]) -> None:
    with Image.open(path) as picture:
        numbers = np.array(picture)
    found = edit(numbers)
    (found if isinstance(found, Image.Image) else Image.fromarray(found)).save(path)


def first_mask(folder: Path) -> Path:
    return folder / "annotations" / "training" / "00000.png"


# What is read


def test_zero_is_no_class_in_ade20k(tmp_path: Path) -> None:
    data = opened(ade20k(tmp_path))
    assert data.classes == ADE_CLASSES, "the first of its synonyms, of objectInfo150.txt"
    for mask, expected in zip(masks_of(data), in_order_of_sizes(), strict=True):
        assert np.array_equal(mask, np.where(expected == 0, 255, expected.astype(int) - 1))


def test_zero_is_a_class_elsewhere(tmp_path: Path) -> None:
    data = opened(plain(tmp_path))
    assert data.classes == ("0", "1", "2", "3", "4")
    for mask, expected in zip(masks_of(data), in_order_of_sizes(), strict=True):
        assert np.array_equal(mask, expected)


def test_what_zero_means_may_be_said(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    assert opened(folder, reduce_zero_label=True).classes == ("1", "2", "3", "4")
    ade = ade20k(tmp_path / "ade")
    (ade / "names.txt").write_text("other\nground\nsquare\ndisk\ncross\n")
    data = opened(ade, reduce_zero_label=False, class_names="names.txt")
    assert data.classes == ("other", "ground", "square", "disk", "cross")
    assert np.array_equal(masks_of(data)[0], in_order_of_sizes()[0])


def test_values_that_do_not_count_are_ignored(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    rewrite(folder / "masks" / "val" / "00001.png", lambda m: np.where(m == 0, 255, m))
    values = np.unique(np.concatenate([mask.ravel() for mask in masks_of(opened(folder))]))
    assert values.tolist() == [0, 1, 2, 3, 4, 255]
    assert "masks hold numbers of 256 classes" in refusal(folder, "segmentation", ignore_label=0)
    folder = plain(tmp_path / "other")
    data = opened(folder, ignore_label=2)
    assert "classes of which there is nothing: 2" in data.remarks
    for mask, expected in zip(masks_of(data), in_order_of_sizes(), strict=True):
        assert np.array_equal(mask, np.where(expected == 2, 255, expected))


def test_a_turned_picture_is_read_as_its_mask_sees_it(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    note = Image.Exif()
    note[0x0112] = 6  # viewers turn it clockwise by a quarter
    wide = VALIDATION[1].picture
    path = folder / "images" / "validation" / "00001.png"
    changes = SegmentationChanges(shortest=60, longest=80, mean=(0.0,) * 3, std=(1.0,) * 3)
    for stored, upright in ((wide, False), (np.rot90(wide).copy(), True)):
        Image.fromarray(stored).save(path, exif=note)
        data = opened(folder)
        assert data.validation_index.upright.tolist() == [False, upright, False, False]
        images, _ = next(iter(data.validation(changes)))
        shown = (images[0] * 255).round().byte().permute(1, 2, 0).numpy()
        assert np.array_equal(shown, wide), "the first of the two wide ones"


def test_masks_may_have_palettes_or_sixteen_bits(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    before = masks_of(opened(folder))

    def coloured(numbers: NDArray[np.uint8]) -> Image.Image:
        picture = Image.fromarray(numbers, "P")
        picture.putpalette(
            np.random.default_rng(0).integers(0, 256, 768).astype(np.uint8).tobytes()
        )
        return picture

    rewrite(folder / "masks" / "val" / "00000.png", coloured)
    rewrite(folder / "masks" / "val" / "00001.png", lambda m: m.astype(np.uint16))
    after = masks_of(opened(folder))
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_layouts_of_others_hold_the_same(tmp_path: Path) -> None:
    data = opened(plain(tmp_path / "plain"))
    other = tmp_path / "other"
    for part in ("train", "val"):
        for kind in ("images", "masks"):
            shutil.copytree(tmp_path / "plain" / kind / part, other / part / kind)
    assert opened(other).content_hash == data.content_hash
    named = {
        "train_images": "train/images",
        "train_masks": "train/masks",
        "validation_images": "val/images",
        "validation_masks": "val/masks",
    }
    assert opened(other, **named).content_hash == data.content_hash


def test_lists_of_pascal_voc_say_the_parts(tmp_path: Path) -> None:
    """Pictures that no list names have no masks there."""
    source = plain(tmp_path / "plain")
    before = masks_of(opened(source))
    folder = tmp_path / "voc"
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for kind, name in (("images", "JPEGImages"), ("masks", "SegmentationClass")):
        (folder / name).mkdir()
        for part in ("train", "val"):
            for path in (source / kind / part).iterdir():
                shutil.copy(path, folder / name / f"{part}{path.name}")
    for part in ("train", "val"):
        names = sorted(path.stem for path in folder.glob(f"JPEGImages/{part}*"))
        (lists / f"{part}.txt").write_text("\n".join(names) + "\n")
    shutil.copy(folder / "JPEGImages" / "train00000.png", folder / "JPEGImages" / "other.png")
    data = opened(folder)
    assert (data.train_images, data.validation_images) == (6, 4)
    assert all(np.array_equal(a, b) for a, b in zip(masks_of(data), before, strict=True))
    (lists / "train.txt").write_text("train00000\ntrain00001\ngone\nother\n")
    said = refusal(folder, "segmentation")
    both = "data.folder: DATA/JPEGImages with DATA/SegmentationClass has "
    assert said.splitlines() == [
        f"{both}listed names of no picture: 1 (gone)",
        f"{both}pictures without a mask: 1 (other.png)",
    ]


def test_one_folder_for_all_is_divided_by_a_seed(tmp_path: Path) -> None:
    ade20k(tmp_path / "ade")
    for kind, name in (("images", "images"), ("annotations", "masks")):
        shutil.copytree(tmp_path / "ade" / kind / "training", tmp_path / name)
    shutil.rmtree(tmp_path / "ade")
    data = opened(tmp_path)
    assert (data.train_images, data.validation_images) == (5, 1)
    assert opened(tmp_path).content_hash == data.content_hash
    assert opened(tmp_path, split_seed=4).content_hash != data.content_hash


def test_pictures_may_be_of_another_kind_than_masks(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    path = folder / "images" / "training" / "00000.png"
    with Image.open(path) as picture:
        picture.save(path.with_suffix(".jpg"))
    path.unlink()
    assert opened(folder).train_images == 6


def test_limits_keep_some_pictures(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    data = opened(folder, limit_train=3, limit_validation=2)
    assert (data.train_images, data.validation_images) == (3, 2)
    assert data.content_hash != opened(folder).content_hash


def test_the_hash_is_of_what_is_trained_on(tmp_path: Path) -> None:
    folder = ade20k(tmp_path / "here")
    before = opened(folder).content_hash
    folder = folder.rename(tmp_path / "there")
    (folder / "notes.txt").write_text("token=secret")
    assert opened(folder).content_hash == before
    assert opened(folder, reduce_zero_label=True).content_hash == before, "as it was meant anyway"
    rewrite(first_mask(folder), lambda m: np.where(m == 1, 0, m))
    assert opened(folder).content_hash != before


# What is refused


def test_what_is_wrong_is_refused_by_kind_and_name(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    masks, images = folder / "annotations" / "training", folder / "images" / "training"
    rewrite(masks / "00000.png", lambda m: m[:-1])
    rewrite(masks / "00001.png", lambda m: np.where(m == 1, 77, m))
    rewrite(masks / "00002.png", lambda m: np.repeat(m[..., None], 3, 2))
    (masks / "00003.png").write_bytes(b"no picture")
    path = images / "00004.png"
    path.write_bytes(path.read_bytes()[:300])
    said = refusal(folder, "segmentation").splitlines()
    start = "data.folder: DATA/annotations/training has "
    assert f"{start}masks with numbers of no class: 1 (00001.png: 77)" in said
    cannot = (
        "masks that cannot be read: 2 (00002.png: its pixels are colours (RGB), and no numbers of "
        "classes, 00003.png: no kind of picture that is known here)"
    )
    assert start + cannot in said
    size = "masks of another size than their picture: 1 (00000.png: 60 × 79, and the picture has "
    assert f"{start}{size}60 × 80)" in said
    assert any(
        each.startswith(f"{start}pictures that cannot be read: 1 (00004.png") for each in said
    )
    assert len(said) == 4
    rewrite(folder / "annotations" / "validation" / "00000.png", lambda m: m[:, :-1])
    both = refusal(folder, "segmentation")
    assert "DATA/annotations/training has " in both
    assert "DATA/annotations/validation has " in both, "all at once"


def test_what_is_wrong_may_be_left_out_and_is_counted(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    rewrite(first_mask(folder), lambda m: m[:-1])
    rewrite(first_mask(folder).with_name("00002.png"), lambda m: np.where(m == 1, 77, m))
    data = opened(folder, broken="leave_out")
    assert data.train_index.files == ("00001.png", "00003.png", "00004.png", "00005.png")
    start = f"{folder / 'annotations' / 'training'}: left out as masks "
    assert f"{start}with numbers of no class: 1 (00002.png: 77)" in data.remarks
    assert any(each.startswith(f"{start}of another size") for each in data.remarks)


def test_pictures_and_masks_without_each_other_are_refused(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    first_mask(folder).unlink()
    (folder / "images" / "training" / "00001.png").unlink()
    (folder / "images" / "training" / "00002.png").unlink()
    said = refusal(folder, "segmentation")
    both = "data.folder: DATA/images/training with DATA/annotations/training has "
    assert said.splitlines() == [
        f"{both}masks without a picture: 2 (00001.png, 00002.png)",
        f"{both}pictures without a mask: 1 (00000.png)",
    ]


def test_too_few_classes_are_refused(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    for path in folder.glob("masks/*/*.png"):
        rewrite(path, lambda m: np.where(m > 0, 255, 0).astype(np.uint8))
    said = refusal(folder, "segmentation")
    assert said == (
        "data.folder: masks hold 1 class beside 255 (data.ignore_label); at least 2 needed"
    )
    assert "numbers of 256 classes; at most 255" in refusal(
        folder, "segmentation", ignore_label=None
    )
    for path in folder.glob("masks/*/*.png"):
        rewrite(path, lambda m: np.full_like(m, 255))
    assert "data.folder: masks hold no class beside 255" in refusal(folder, "segmentation")


def test_names_are_checked(tmp_path: Path) -> None:
    folder = plain(tmp_path)
    (folder / "classes.txt").write_text("a\nb\nc\nb\n")
    assert "DATA/classes.txt has names twice: b" in refusal(folder, "segmentation")
    (folder / "classes.txt").write_text("a\nb\nc\n")
    said = refusal(folder, "segmentation")
    assert "has masks with numbers of no class: " in said
    (folder / "classes.txt").write_text("a\nb\nc\nd\ne\nf\n")
    data = opened(folder)
    assert data.classes == tuple("abcdef")
    assert "classes of which there is nothing: f" in data.remarks
    (folder / "classes.txt").write_text("\n")
    assert "data.class_names: DATA/classes.txt is empty" in refusal(folder, "segmentation")


def test_synonyms_that_are_equal_get_numbers(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    table = folder / "objectInfo150.txt"
    table.write_text(table.read_text().replace("\tcross, or such", "\tdisk, another one"))
    assert opened(folder).classes == ("ground", "square", "disk", "disk (2)")


def test_folders_that_say_too_little_are_refused(tmp_path: Path) -> None:
    assert "DATA holds no pictures with masks" in refusal(tmp_path, "segmentation")
    said = refusal(ade20k(tmp_path / "a"), "segmentation", train_images="images/training")
    assert "data.train_masks: is needed where the folder of the others is named" in said
    folder = tmp_path / "a"
    shutil.rmtree(folder / "images" / "training")
    said = refusal(folder, "segmentation")
    assert said == "data.folder: DATA has pictures to validate on, and none to train on"
    assert "data.without_annotations: only for detection" in refusal(
        folder, "segmentation", without_annotations="keep"
    )
    assert len(TRAIN) == 6
