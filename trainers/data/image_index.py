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
from trainers.data.inspection import inspect_files
from trainers.data.layout import Layout, find_layout
from trainers.data.listing import list_classes
from trainers.data.split import split_train_validation
from trainers.seeds import derive

Part = Literal["train", "val"]
Say = Callable[[str], None]

TEST_FRACTION = 0.1
_SHOWN_FAULTS = 10
_READING = b"pictures as shown 1\n"
"""Changes when the same bytes come to be read as other pixels."""


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """Pictures to train on, or to test on, in the order of torchvision's ImageFolder.

    Attributes:
        folder: that the files lie below. classes: names of its sub-folders, sorted.
        files: paths below `folder`. sizes: (images,) bytes. labels: (images,) class numbers.
        digests: of the bytes of each file; empty where a worker relies on the driver's pass.
        left_out: names of broken files. remarks: sentences on what does not count.
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
            shown_path(name): self._hash_of(*bounds[i : i + 2])
            for i, name in enumerate(self.classes)
        }

    def _hash_of(self, start: int, stop: int) -> str:
        digest = hashlib.sha256()
        for file, size in zip(self.files[start:stop], self.sizes[start:stop], strict=True):
            digest.update(os.fsencode(file) + f"\0{size}\n".encode())
        return f"{stop - start} {digest.hexdigest()[:16]}"

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
    try:
        kept = split_train_validation(index.labels, seed=seed, validation_fraction=fraction)
    except InputError as error:
        problems = [Problem("data.test_fraction", p.message) for p in error.problems]
        raise InputError(problems) from None
    chosen = index.only(np.sort(kept.validation if part == "val" else kept.train))
    remark = f"{len(kept.validation):,} pictures are kept for the test (data.test_fraction)"
    return replace(chosen, remarks=(*chosen.remarks, remark))


def count_in_both(index: ImageIndex, config: DataConfig, say: Say | None) -> str | None:
    """A warning where pictures of train/ are also in val/, by content; val/ is only hashed."""
    assert config.folder is not None
    layout = find_layout(config.folder)
    if layout.val is None:
        return None
    listed = list_classes(layout.val, layout.classes)
    held = inspect_files(layout.val, listed.files, "none", say).digests
    places = dict(zip(held, listed.files, strict=True))
    both = [
        (file, places[d])
        for file, d in zip(index.files, index.digests, strict=True)
        if d and d in places
    ]
    if not both:
        return None
    here, there = map(shown_path, both[0])
    return (
        f"{len(both):,} pictures are both in train/ and in val/, such as train/{here} "
        f"and val/{there}: the test will flatter"
    )


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
        keep = [i for i, file in enumerate(index.files) if shown_path(file) not in known]
        return replace(index.only(np.array(keep, np.int64)), left_out=left_out)
    seen = inspect_files(folder, index.files, config.check, say)
    faults = listed.faults | {index.files[i]: fault for i, fault in seen.faults.items()}
    if faults and config.broken == "refuse":
        raise InputError(_refusal(folder, faults))
    keep = [i for i in range(len(index.files)) if i not in seen.faults]
    chosen = replace(index, digests=seen.digests).only(np.array(keep, np.int64))
    _check_classes(chosen)
    names = tuple(shown_path(name) for name in sorted(faults))
    return replace(
        chosen,
        left_out=names,
        remarks=_remarks(listed.other_suffixes, listed.hidden, listed.again, faults),
    )


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
    counts = np.bincount(index.labels, minlength=len(index.classes))
    problems = [
        Problem("data.folder", f"{shown_path(str(index.folder / name))} holds no readable images")
        for name, number in zip(index.classes, counts, strict=True)
        if not number
    ]
    if problems:
        raise InputError(problems)


def _remarks(
    others: Mapping[str, int], hidden: int, again: int, faults: Mapping[str, str]
) -> tuple[str, ...]:
    said = []
    if others:
        kinds = ", ".join(f"{n:,} {shown_path(s)}" for s, n in sorted(others.items())[:10])
        said.append(f"left out for their suffix: {kinds}")
    if hidden:
        said.append(f"left out for a name that begins with a dot: {hidden:,}")
    if again:
        said.append(f"left out as further links to the same file: {again:,}")
    if faults:
        name, fault = min(faults.items())
        said.append(f"left out as broken: {len(faults):,}, such as {shown_path(name)} ({fault})")
    return tuple(said)
