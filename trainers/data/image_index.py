"""The pictures of a folder that a search or a test uses, and what they hold."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError, Problem
from space.paths import shown_path
from trainers.data.config import DataConfig
from trainers.data.copies import copies_between, told_copies
from trainers.data.inspected import plain_name
from trainers.data.inspection import inspect_files
from trainers.data.layout import Layout, abbreviated, find_layout
from trainers.data.listing import Listing, list_classes
from trainers.data.split import split_train_validation
from trainers.seeds import derive

Part = Literal["train", "val"]
Say = Callable[[str], None]

TEST_FRACTION = 0.1
_SHOWN_FAULTS = 10
_READING = b"pictures as shown 2\n"
"""Changes when the same bytes come to be read as other pixels."""


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """Pictures to train on, or to test on, in the order of torchvision's ImageFolder.

    Attributes:
        folder: that the files lie below. classes: names of its sub-folders, sorted.
        files: paths below `folder`. sizes: (images,) bytes. labels: (images,) class numbers.
        digests: of the bytes of each file; empty where a worker relies on the driver's pass.
        left_out: broken files, by `plain_name`. remarks: sentences on what does not count.
    """

    folder: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    sizes: NDArray[np.int64]
    labels: NDArray[np.int64]
    digests: tuple[bytes, ...] = ()
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def content_hash(self) -> str:
        """16 hex digits over the names and contents of all files."""
        digest = hashlib.sha256(_READING)
        for file, content in zip(self.files, self.digests, strict=True):
            digest.update(os.fsencode(file) + b"\0" + content)
        return digest.hexdigest()[:16]

    def listing(self) -> dict[str, str]:
        """By class, its number of pictures and a hash over their names and sizes."""
        bounds = np.searchsorted(self.labels, np.arange(len(self.classes) + 1))
        return {
            plain_name(name): self._hash_of(*bounds[i : i + 2])
            for i, name in enumerate(self.classes)
        }

    def _hash_of(self, start: int, stop: int) -> str:
        digest = hashlib.sha256()
        for file, size in zip(self.files[start:stop], self.sizes[start:stop], strict=True):
            digest.update(os.fsencode(file) + f"\0{size}\n".encode())
        return f"{stop - start} {digest.hexdigest()[:16]}"

    def classes_without_pictures(self) -> tuple[str, ...]:
        """Names of the classes that nothing is labelled with."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return tuple(self.classes[i] for i in np.flatnonzero(counts == 0))

    def only(self, positions: NDArray[np.int64]) -> "ImageIndex":
        """The index of some of its pictures, in the given order."""
        return replace(
            self,
            files=tuple(self.files[i] for i in positions),
            sizes=self.sizes[positions],
            labels=self.labels[positions],
            digests=tuple(self.digests[i] for i in positions) if self.digests else (),
        )


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
    assert config.folder is not None
    layout = find_layout(config.folder)
    if layout.val is not None and config.test_fraction is not None:
        message = f"{layout.val} is the test split; only without it"
        raise InputError.of("data.test_fraction", message)
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


def warn_of_test_copies(index: ImageIndex, config: DataConfig, say: Say | None) -> tuple[str, ...]:
    """A warning where pictures of train/ are also in val/, by content; val/ is only hashed."""
    assert config.folder is not None
    layout = find_layout(config.folder)
    if layout.val is None:
        return ()
    listed = list_classes(layout.val, layout.classes)
    held = inspect_files(layout.val, listed.files, "none", say).digests
    both = copies_between(index.files, index.digests, listed.files, held)
    return tuple(f"{said}: the test will flatter" for said in told_copies(both, "train/", "val/"))


def _read(
    config: DataConfig,
    folder: Path,
    layout: Layout,
    say: Say | None,
    left_out: tuple[str, ...] | None,
) -> ImageIndex:
    listed = list_classes(folder, layout.classes)
    sizes, labels = listed.arrays()
    index = ImageIndex(folder, layout.classes, tuple(listed.files), sizes, labels)
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
    _check_classes(chosen)
    names = tuple(plain_name(name) for name in sorted(faults))
    return replace(
        chosen,
        left_out=names,
        remarks=_remarks(listed, layout, faults, config.check),
    )


def _with_test(index: ImageIndex, train: ImageIndex, test: ImageIndex) -> tuple[str, ...]:
    said = [f"{len(test.files):,} pictures are kept for the test (data.test_fraction)"]
    if absent := test.classes_without_pictures():
        said.append(f"classes without test pictures: {abbreviated(absent)}")
    if not index.digests:
        return (*index.remarks, *said)
    both = copies_between(train.files, train.digests, test.files, test.digests)
    flattering = told_copies(both, "the pictures to train on", "those kept for the test")
    return (*index.remarks, *said, *(f"{each}: the test will flatter" for each in flattering))


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


def _check_classes(index: ImageIndex) -> None:
    problems = [
        Problem("data.folder", f"{shown_path(str(index.folder / name))} holds no readable images")
        for name in index.classes_without_pictures()
    ]
    if problems:
        raise InputError(problems)


def _remarks(
    listed: Listing, layout: Layout, faults: Mapping[str, str], check: str
) -> tuple[str, ...]:
    said = []
    if layout.beside:
        also = "" if layout.val is not None else "; a folder val/ would be the test"
        said.append(f"not read, beside train/: {abbreviated(layout.beside)}{also}")
    if others := listed.other_suffixes:
        kinds = ", ".join(f"{n:,} {shown_path(s)}" for s, n in sorted(others.items())[:10])
        said.append(f"left out for their suffix: {kinds}")
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
