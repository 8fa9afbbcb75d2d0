"""Decides which images of a folder a search or a test uses, and says what does not count."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from space.errors import InputError, Problem, refuse
from space.input.paths import shown_path
from trainers.data.data_config import DataConfig
from trainers.data.image_folder.class_folders import (
    FolderLayout,
    Listing,
    abbreviated,
    find_layout,
    list_classes,
)
from trainers.data.image_folder.decoding import listed_suffixes
from trainers.data.image_folder.image_index import (
    ImageIndex,
    plain_name,
    remarks_on_copies,
    remarks_on_labels,
)
from trainers.data.image_folder.inspection import Say, inspect_files
from trainers.data.split import split_train_validation
from trainers.seeds import derive

Part = Literal["train", "val"]

TEST_FRACTION = 0.1
_SHOWN_FAULTS = 10


def index_images(
    config: DataConfig,
    part: Part = "train",
    *,
    split_seed: int = 0,
    say: Say | None = None,
    left_out: tuple[str, ...] | None = None,
) -> ImageIndex:
    """List and inspect the pictures to train on ("train") or to test on ("val").

    Where there is no val/, a share of each class is kept for the test, by the split's seed; that
    part is inspected with the others, and never decoded to train or validate on.

    Args:
        config: names the folder, and what to do with broken files.
        part: which of both.
        split_seed: decides which pictures are kept for the test.
        say: told how far the pass over the files is.
        left_out: broken files that a driver found; then nothing is read, and nothing hashed.

    Raises:
        InputError: naming every folder that is missing, empty or does not match, and broken files.
    """
    layout = layout_of(config)
    folder = layout.val if part == "val" and layout.val is not None else layout.train
    index = _read(config, folder, layout, say, left_out)
    if layout.val is not None:
        return index
    fraction = TEST_FRACTION if config.test_fraction is None else config.test_fraction
    seed = derive(split_seed, "test")
    kept = split_train_validation(
        index.labels, seed=seed, validation_fraction=fraction, field="data.test_fraction"
    )
    train, test = (index.only(np.sort(each)) for each in (kept.train, kept.validation))
    return replace(test if part == "val" else train, remarks=_with_test(index, train, test))


def layout_of(config: DataConfig) -> FolderLayout:
    """Where the class folders of a configuration lie; no file is looked at.

    Raises:
        InputError: naming every folder that is missing, empty or does not match, or a share for
            the test beside a test split.
    """
    assert config.folder is not None, "checked with the configuration"
    layout = find_layout(config.folder)
    if layout.val is not None and config.test_fraction is not None:
        message = f"{layout.val} is the test split; only without it"
        raise InputError.of("data.test_fraction", message)
    return layout


def warn_of_test_copies(index: ImageIndex, config: DataConfig, say: Say | None) -> tuple[str, ...]:
    """A warning where pictures of train/ are also in val/, by content; val/ is only hashed."""
    layout = layout_of(config)
    if layout.val is None:
        return ()
    held_out = _indexed(list_classes(layout.val, layout.classes), layout.val, layout)
    digests = inspect_files(layout.val, held_out.files, "none", say).digests
    return remarks_on_copies({"train/": index, "val/": replace(held_out, digests=digests)}, "test")


def _indexed(listed: Listing, folder: Path, layout: FolderLayout) -> ImageIndex:
    """All the files of a listing, nothing of them read yet."""
    sizes, labels = np.array(listed.sizes, np.int64), np.array(listed.labels, np.int64)
    return ImageIndex(folder, layout.classes, tuple(listed.files), sizes, labels)


def _read(
    config: DataConfig,
    folder: Path,
    layout: FolderLayout,
    say: Say | None,
    left_out: tuple[str, ...] | None,
) -> ImageIndex:
    listed = list_classes(folder, layout.classes)
    index = _indexed(listed, folder, layout)
    if left_out is not None:
        known = set(left_out)
        keep = [i for i, file in enumerate(index.files) if plain_name(file) not in known]
        return replace(index.only(np.array(keep, np.int64)), left_out=left_out)
    seen = inspect_files(folder, index.files, config.check, say)
    faults = listed.faults | {index.files[i]: fault for i, fault in seen.faults.items()}
    if faults and config.broken == "refuse":
        raise InputError(_refusal(folder, faults))
    keep = [i for i in range(len(index.files)) if i not in seen.faults]
    chosen = replace(index, digests=seen.digests).only(np.array(keep, np.int64))
    refuse(
        Problem("data.folder", f"{shown_path(str(folder / name))} holds no readable images")
        for name in chosen.classes_without_pictures()
    )
    names = tuple(plain_name(name) for name in sorted(faults))
    remarks = (*_remarks(listed, layout, faults, config.check), *remarks_on_labels(chosen))
    return replace(chosen, left_out=names, remarks=remarks)


def _with_test(index: ImageIndex, train: ImageIndex, test: ImageIndex) -> tuple[str, ...]:
    said = [f"{len(test.files):,} pictures are kept for the test (data.test_fraction)"]
    if absent := test.classes_without_pictures():
        said.append(f"classes without test pictures: {abbreviated(absent)}")
    if not index.digests:
        return (*index.remarks, *said)
    parts = {"the pictures to train on": train, "those kept for the test": test}
    return (*index.remarks, *said, *remarks_on_copies(parts, "test"))


def _refusal(folder: Path, faults: Mapping[str, str]) -> list[Problem]:
    shown = [
        Problem(
            "data.folder", f"{shown_path(str(folder / name))} is not a readable image ({fault})"
        )
        for name, fault in sorted(faults.items())[:_SHOWN_FAULTS]
    ]
    more = len(faults) - len(shown)
    also = f"{more:,} more like these; " if more else ""
    message = f"{also}{len(faults):,} in all; mend or remove them, or set data.broken: leave_out"
    return [*shown, Problem("data.broken", message)]


def _remarks(
    listed: Listing, layout: FolderLayout, faults: Mapping[str, str], check: str
) -> tuple[str, ...]:
    said = []
    if layout.beside:
        also = "" if layout.val is not None else "; a folder val/ would be the test"
        said.append(f"not read, beside train/: {abbreviated(layout.beside)}{also}")
    if others := listed.other_suffixes:
        kinds = ", ".join(f"{n:,} {shown_path(s)}" for s, n in sorted(others.items())[:10])
        said.append(
            f"left out for their suffix: {kinds}; files count that end in {listed_suffixes()}"
        )
    for number, reason in (
        (listed.loose, "as pictures outside of the class folders"),
        (listed.hidden, "for a name that begins with a dot"),
        (listed.again, "as further links to the same file"),
    ):
        if number:
            said.append(f"left out {reason}: {number:,}")
    if faults:
        name, fault = min(faults.items())
        said.append(f"left out as broken: {len(faults):,}, such as {shown_path(name)} ({fault})")
    if check != "full":
        said.append(f"not decoded (data.check: {check}): a picture that is broken stops the search")
    return tuple(said)
