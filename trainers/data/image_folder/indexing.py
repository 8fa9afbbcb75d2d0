"""Decides which pictures of a folder a search or a test uses, and says what does not count."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from space.errors import InputError, Problem, refuse
from space.input.paths import shown_path
from trainers.data.image_folder.class_folders import (
    Listing,
    abbreviated,
    list_classes,
    list_pictures,
)
from trainers.data.image_folder.decoding import listed_suffixes
from trainers.data.image_folder.image_index import (
    ImageIndex,
    plain_name,
    remarks_on_copies,
    remarks_on_labels,
)
from trainers.data.image_folder.inspection import Check, Say, inspect_files
from trainers.data.image_folder.labels_file import resolve
from trainers.data.image_folder.layout import FolderLayout, Layout, PartFolder, Role, find_layout
from trainers.data.image_folder.picture_files import InFolder
from trainers.data.split import Split

Part = Literal["train", "test"]

_SHOWN_FAULTS = 10


class Checked(Protocol):
    """What a configuration says of how pictures are looked at."""

    @property
    def check(self) -> Check:
        """How each is looked at before the first trial."""

    @property
    def broken(self) -> Literal["refuse", "leave_out"]:
        """What becomes of broken ones."""


class FolderConfig(Checked, Protocol):
    """What a configuration says of a folder of pictures."""

    @property
    def folder(self) -> Path:
        """Where it lies."""

    @property
    def labels(self) -> Path | None:
        """A table of labels, from there."""

    @property
    def layout(self) -> Layout:
        """Which layouts are known."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Pictures that were listed, nothing of them read yet.

    Attributes:
        index: of them. faults: what is no file to read, by name.
        remarks: sentences on what does not count.
    """

    index: ImageIndex
    faults: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def layout_of(config: FolderConfig) -> FolderLayout:
    """Where the pictures of a configuration lie; none is looked at.

    Raises:
        InputError: naming every folder that is missing, empty or does not match.
    """
    return find_layout(config.folder, config.labels, config.layout)


def list_part(layout: FolderLayout, part: Part) -> Listed:
    """List the pictures of the test part, or all that a search may see.

    Raises:
        InputError: naming every class without pictures, and every line of a table without one.
    """
    if part == "test":
        return _listed(layout, "test", layout.parts.get("test", layout.parts["train"]))
    train = _listed(layout, "train", layout.parts["train"])
    remarks = (*train.remarks, *layout.remarks)
    if "validation" not in layout.parts:
        return replace(train, remarks=remarks)
    held_out = _listed(layout, "validation", layout.parts["validation"])
    return _joined(layout, train, held_out)


def inspected_index(
    listed: Listed,
    config: Checked,
    *,
    say: Say | None = None,
    left_out: tuple[str, ...] | None = None,
) -> ImageIndex:
    """Look at all listed pictures; what is broken is refused or left out.

    Args:
        listed: what there is. config: how to look, and what to do with broken files.
        say: told how far the pass over the files is.
        left_out: broken files that a driver found; then nothing is read, and nothing hashed.

    Raises:
        InputError: naming broken files, and classes of which no picture is left.
    """
    index = listed.index
    if left_out is not None:
        known = set(left_out)
        keep = [i for i, file in enumerate(index.files) if plain_name(file) not in known]
        return replace(index.only(np.array(keep, np.int64)), left_out=left_out)
    seen = inspect_files(index.pictures, index.files, config.check, say)
    faults = {**listed.faults, **{index.files[i]: fault for i, fault in seen.faults.items()}}
    if faults and config.broken == "refuse":
        raise InputError(_refusal(index, faults))
    keep = [i for i in range(len(index.files)) if i not in seen.faults]
    chosen = replace(index, digests=seen.digests).only(np.array(keep, np.int64))
    refuse(
        Problem("data.folder", f"{index.place_of_class(name)} holds no readable images")
        for name in chosen.classes_without_pictures()
    )
    names = tuple(plain_name(name) for name in sorted(faults))
    said = _remarks_on_check(faults, config.check)
    remarks = (*listed.remarks, *said, *remarks_on_labels(chosen))
    return replace(chosen, left_out=names, remarks=remarks)


def kept_apart(index: ImageIndex, kept: Split, part: Part) -> ImageIndex:
    """Of pictures without a test part those to train on, or those that are kept for the test."""
    train, test = (index.only(np.sort(each)) for each in (kept.train, kept.validation))
    chosen = test if part == "test" else train
    return replace(chosen, remarks=_with_test(index, train, test))


def warn_of_test_copies(
    index: ImageIndex, listed: Listed, names: tuple[str, str], say: Say | None
) -> tuple[str, ...]:
    """A warning where pictures of the search are also in the test; those are only hashed.

    Args:
        index: of the search. listed: the test part. names: of both, as `remarks_on_copies` has.
    """
    held_out = listed.index
    digests = inspect_files(held_out.pictures, held_out.files, "none", say).digests
    parts = {names[0]: index, names[1]: replace(held_out, digests=digests)}
    return remarks_on_copies(parts, "test")


def _listed(layout: FolderLayout, role: Role, part: PartFolder) -> Listed:
    if part.table is not None:
        return _of_table(layout, part)
    found = list_classes(part.folder, layout.classes)
    index = _indexed(found, part.folder, layout)
    return Listed(index, found.faults, _remarks(found, layout, role))


def _indexed(listed: Listing, folder: Path, layout: FolderLayout) -> ImageIndex:
    """All the files of a listing, nothing of them read yet."""
    sizes, labels = np.array(listed.sizes, np.int64), np.array(listed.labels, np.int64)
    return ImageIndex(InFolder(folder), layout.classes, tuple(listed.files), sizes, labels)


def _of_table(layout: FolderLayout, part: PartFolder) -> Listed:
    """The pictures that lines of a table name, in the order of their classes and names."""
    assert part.table is not None, "asked before"
    found = list_pictures(part.folder)
    _leave_out_the_table(found, part.table.path, part.folder)
    named = resolve(part.table, part.rows, part.folder, (*found.files, *found.faults))
    number = {name: place for place, name in enumerate(layout.classes)}
    sizes = dict(zip(found.files, found.sizes, strict=True))
    chosen = sorted((number[row.label], file) for file, row in named.rows.items() if file in sizes)
    index = ImageIndex(
        InFolder(part.folder),
        layout.classes,
        tuple(file for _, file in chosen),
        np.array([sizes[file] for _, file in chosen], np.int64),
        np.array([label for label, _ in chosen], np.int64),
        class_in_name=False,
    )
    faults = {file: fault for file, fault in found.faults.items() if file in named.rows}
    remarks = []
    beside = named.unnamed if len(part.rows) == len(part.table.rows) else 0
    if beside:
        table = shown_path(part.table.path.name)
        remarks.append(f"left out as pictures that {table} does not name: {beside:,}")
    return Listed(index, faults, (*remarks, *_remarks_on_files(found)))


def _leave_out_the_table(found: Listing, table: Path, folder: Path) -> None:
    """It was read, and is nothing that does not count."""
    suffix = table.suffix.lower()
    if table.is_relative_to(folder) and suffix in found.other_suffixes:
        found.other_suffixes[suffix] -= 1
        if not found.other_suffixes[suffix]:
            del found.other_suffixes[suffix]


def _joined(layout: FolderLayout, train: Listed, held_out: Listed) -> Listed:
    """Both parts as one, with the validation part marked; names are from the folder of all."""
    both = [_below(each, layout.root) for each in (train, held_out)]
    files = sum((each.index.files for each in both), ())
    labels = np.concatenate([each.index.labels for each in both])
    sizes = np.concatenate([each.index.sizes for each in both])
    mask = np.repeat([False, True], [len(each.index.files) for each in both])
    order = np.lexsort((mask, labels))  # stable: within a class and part by name, as before
    index = ImageIndex(
        InFolder(layout.root),
        layout.classes,
        tuple(files[i] for i in order),
        sizes[order],
        labels[order],
        validation=mask[order],
        class_in_name=all(each.index.class_in_name for each in both),
    )
    faults = {**both[0].faults, **both[1].faults}
    said = tuple(dict.fromkeys((*train.remarks, *held_out.remarks, *layout.remarks)))
    return Listed(index, faults, said)


def _below(listed: Listed, root: Path) -> Listed:
    """The same pictures by their paths from a folder above."""
    prefix = "" if (inner := listed.index.folder.relative_to(root)) == Path() else f"{inner}/"
    files = tuple(prefix + file for file in listed.index.files)
    index = replace(listed.index, pictures=InFolder(root), files=files)
    return replace(listed, index=index, faults={prefix + f: v for f, v in listed.faults.items()})


def _with_test(index: ImageIndex, train: ImageIndex, test: ImageIndex) -> tuple[str, ...]:
    said = [f"{len(test.files):,} pictures are kept for the test (data.test_fraction)"]
    if absent := test.classes_without_pictures():
        said.append(f"classes without test pictures: {abbreviated(absent)}")
    if not index.digests:
        return (*index.remarks, *said)
    parts = {"the pictures to train on": train, "those kept for the test": test}
    return (*index.remarks, *said, *remarks_on_copies(parts, "test"))


def _refusal(index: ImageIndex, faults: Mapping[str, str]) -> list[Problem]:
    shown = [
        Problem(
            "data.folder",
            f"{shown_path(index.pictures.path(name))} is not a readable image ({fault})",
        )
        for name, fault in sorted(faults.items())[:_SHOWN_FAULTS]
    ]
    more = len(faults) - len(shown)
    also = f"{more:,} more like these; " if more else ""
    message = f"{also}{len(faults):,} in all; mend or remove them, or set data.broken: leave_out"
    return [*shown, Problem("data.broken", message)]


def _remarks(listed: Listing, layout: FolderLayout, role: Role) -> tuple[str, ...]:
    said = []
    if layout.beside and role == "train":
        also = "" if layout.test is not None else "; a folder val/ would be the test"
        said.append(f"not read, beside train/: {abbreviated(layout.beside)}{also}")
    return (*said, *_remarks_on_files(listed))


def _remarks_on_files(listed: Listing) -> tuple[str, ...]:
    said = []
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
    return tuple(said)


def _remarks_on_check(faults: Mapping[str, str], check: str) -> tuple[str, ...]:
    said = []
    if faults:
        name, fault = min(faults.items())
        said.append(f"left out as broken: {len(faults):,}, such as {shown_path(name)} ({fault})")
    if check != "full":
        said.append(f"not decoded (data.check: {check}): a picture that is broken stops the search")
    return tuple(said)
