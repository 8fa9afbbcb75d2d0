"""How a folder of labelled pictures is laid out: its parts, and what says the classes in each.

Parts are folders called train/, val/ or test/, or as people also call them. In each, or in the
folder itself where there are none, lie class folders, or pictures with a table of labels.
"""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from space.errors import InputError, Problem, refuse
from space.input.paths import is_file, is_folder, shown_path
from trainers.data.image_folder.class_folders import (
    abbreviated,
    class_folders,
    is_suffix_of_picture,
)
from trainers.data.image_folder.decoding import listed_suffixes
from trainers.data.image_folder.labels_file import (
    NAMES,
    WHERE,
    LabelsFile,
    Row,
    read_labels,
    unknown_classes,
)

Role = Literal["train", "validation", "test"]
Layout = Literal["named", "train_val"]

SYNONYMS: dict[Role, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "eval", "evaluation"),
    "test": ("test", "testing"),
}
"""What folders of a part are called, whatever the capitals; the first name comes first."""

WRAPPERS = (
    *("images", "image", "imgs", "img", "pictures", "photos", "data", "dataset"),
    *("ilsvrc", "cls-loc"),
)
"""What a folder may be called that holds all pictures and is no class."""
BESIDE_WRAPPERS = ("annotations", "imagesets", "labels", "__macosx")
"""What lies beside such a folder and holds no pictures to train on."""
_DEEPEST = 4

IMAGENET_TABLE = "LOC_val_solution.csv"
"""The labels of ImageNet's flat val/, as they come with it."""

WELCOME = (
    "put class folders into train/ and val/, into train/ alone, or into the folder itself, where "
    "none may be called train or val"
)


@dataclass(frozen=True, slots=True)
class PartFolder:
    """Where the pictures of a part lie.

    Attributes:
        folder: with a folder for each class, or with the pictures that a table names.
        table: of their labels; None where class folders say them.
        rows: lines of the table that are of this part.
    """

    folder: Path
    table: LabelsFile | None = None
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """The folders to read.

    Attributes:
        root: that all parts lie below.
        classes: their names, in the order of their numbers.
        parts: by role. Without "test" a share of the pictures is kept for it, and without
            "validation" a share is drawn for that.
        beside: further folders beside the parts, which are not read.
        remarks: sentences on which folder was taken for which part.
    """

    root: Path
    classes: tuple[str, ...]
    parts: Mapping[Role, PartFolder]
    beside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    @property
    def test(self) -> Path | None:
        """Where those of the test part lie or are named; None where a share is kept for it."""
        part = self.parts.get("test")
        if part is None:
            return None
        return part.folder if part.table is None else part.table.path


def find_layout(root: Path, labels: Path | None = None, layout: Layout = "named") -> FolderLayout:
    """Look what a folder holds; no picture is opened.

    Args:
        root: the folder. labels: a table of labels of the pictures in it, from there.
        layout: "named" is all that this module knows. "train_val" are class folders in train/ and
            val/, in train/ or in the folder alone, with val/ for the test, as in earlier releases.

    Raises:
        InputError: naming every folder that is missing, empty or does not match.
    """
    if not is_folder(root):
        raise InputError.of("data.folder", f"{shown_path(str(root))} is not a folder")
    if labels is not None:
        return _of_one_table(root, read_labels(root / labels))
    if layout == "train_val":
        return _of_folders(root, _parts_of_earlier_releases(root), root)
    inner = _unwrapped(root)
    table = _table_in(inner)
    found = _parts(inner)
    if "train" not in found and table is not None and len(class_folders(inner)) < 2:
        return _of_one_table(inner, read_labels(table))
    return _of_folders(inner, found, root)


def _parts_of_earlier_releases(root: Path) -> dict[Role, str]:
    names: dict[Role, str] = {"train": "train", "test": "val"}
    return {role: name for role, name in names.items() if is_folder(root / name)}


def _unwrapped(root: Path) -> Path:
    """The folder inside of images/ and the like, where that is all that holds pictures."""
    for _ in range(_DEEPEST):
        names = class_folders(root)
        inner = [n for n in names if n.casefold() in WRAPPERS or n == root.name]
        others = [n for n in names if n not in inner and n.casefold() not in BESIDE_WRAPPERS]
        if len(inner) != 1 or others or _table_in(root) is not None:
            break
        root = root / inner[0]
    return root


def _table_in(folder: Path) -> Path | None:
    found = [folder / name for name in NAMES if is_file(folder / name)]
    if len(found) > 1:
        raise InputError.of(
            WHERE, f"{shown_path(str(folder))} holds {' and '.join(NAMES)}: name one"
        )
    return found[0] if found else None


def _parts(root: Path) -> dict[Role, str]:
    """Folders by the part that their name says.

    train/ and val/ are parts whatever is in them; others where they hold class folders or a table,
    as a folder of pictures without labels is of no use.
    """
    names = class_folders(root)
    found: dict[Role, str] = {}
    for role, synonyms in SYNONYMS.items():
        if synonyms[0] in names and (role != "test" or _is_labelled(root / synonyms[0])):
            found[role] = synonyms[0]
            continue
        here = [n for n in names if n.casefold() in synonyms and _is_labelled(root / n)]
        if len(here) > 1:
            place, said = shown_path(str(root)), " and ".join(map(shown_path, here))
            message = f"{place} holds {said}, which both say {role}: name one {synonyms[0]}"
            raise InputError.of("data.folder", message)
        if here:
            found[role] = here[0]
    if "test" not in found and "validation" in found:
        found["test"] = found.pop("validation")
    return found


def _is_labelled(folder: Path) -> bool:
    """Whether a folder is a part of labelled pictures, and no class of that name."""
    if _table_in(folder) is not None:
        return True
    return bool(class_folders(folder)) and not _holds_pictures(folder)


def _holds_pictures(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_suffix_of_picture(e.name) for e in entries if not e.name.startswith("."))


def _of_folders(root: Path, names: Mapping[Role, str], given: Path) -> FolderLayout:
    if names and "train" not in names:
        raise InputError.of("data.folder", _without_train(root, names["test"]))
    folder = root / names["train"] if names else root
    train = _part(folder, None, given)
    classes = class_folders(folder) if train.table is None else train.table.labels
    if len(classes) < 2:
        raise InputError.of("data.folder", _too_few(folder, classes))
    if not names:
        _refuse_data_sets(root, classes)
        return FolderLayout(root, classes, {"train": train}, remarks=_of_wrapping(root, given))
    parts: dict[Role, PartFolder] = {"train": train}
    problems: list[Problem] = []
    for role in ("validation", "test"):
        if role in names:
            part = parts[role] = _part(root / names[role], classes, given)
            problems += _differences(root, names["train"], names[role], classes, part)
    refuse(problems)
    beside = tuple(n for n in class_folders(root) if n not in names.values())
    return FolderLayout(root, classes, parts, beside, _of_parts(names) + _of_wrapping(root, given))


def _part(folder: Path, classes: Sequence[str] | None, given: Path) -> PartFolder:
    """A part by its class folders, or else by the table in it, or by ImageNet's."""
    if class_folders(folder):
        return PartFolder(folder)
    path = _table_in(folder)
    if path is None and classes is not None and _holds_pictures(folder):
        above = [given, *folder.parents[: len(folder.parts) - len(given.parts)]]
        path = next((p / IMAGENET_TABLE for p in above if is_file(p / IMAGENET_TABLE)), None)
    if path is None:
        return PartFolder(folder)
    table = read_labels(path)
    return PartFolder(folder, table, table.rows)


def _of_one_table(folder: Path, table: LabelsFile) -> FolderLayout:
    """One folder of pictures, whose table may say the parts."""
    place = shown_path(str(table.path))
    by_role: dict[Role, list[Row]] = {"train": [], "validation": [], "test": []}
    roles = {name: role for role, synonyms in SYNONYMS.items() for name in synonyms}
    strange = sorted(
        {r.part for r in table.rows if table.has_parts and r.part.casefold() not in roles}
    )
    if strange:
        allowed = ", ".join(roles)
        message = f"{place}: split {abbreviated(strange)} is none; allowed: {allowed}"
        raise InputError.of(WHERE, message)
    for row in table.rows:
        by_role[roles[row.part.casefold()] if table.has_parts else "train"].append(row)
    if by_role["validation"] and not by_role["test"]:
        by_role["test"], by_role["validation"] = by_role["validation"], []
    train = LabelsFile(table.path, tuple(by_role["train"]))
    classes = train.labels
    if len(classes) < 2:
        one = f"one class, {shown_path(classes[0])!r}" if classes else "no classes to train on"
        raise InputError.of(WHERE, f"{place} holds {one}; at least 2 are needed")
    rows = (*by_role["validation"], *by_role["test"])
    refuse(unknown_classes(table, rows, classes))
    parts = {role: PartFolder(folder, table, tuple(r)) for role, r in by_role.items() if r}
    said: tuple[str, ...] = (f"the classes are those of {place}",)
    if "validation" in parts:
        said += (_VALIDATION_IS_OWN.format("the validation part is that of the table"),)
    return FolderLayout(folder, classes, parts, remarks=said)


_VALIDATION_IS_OWN = "{}, and protocol.validation_fraction decides nothing"


def _of_parts(names: Mapping[Role, str]) -> tuple[str, ...]:
    """Which folder is which part, where that is not plain."""
    if "validation" in names:
        said = f"{names['test']}/ is the test split and {names['validation']}/ the validation part"
        return (_VALIDATION_IS_OWN.format(said),)
    if names.get("test", "val") != "val":
        return (f"{names['test']}/ is the test split",)
    return ()


def _of_wrapping(root: Path, given: Path) -> tuple[str, ...]:
    return () if root == given else (f"the pictures are those in {shown_path(str(root))}",)


def _without_train(root: Path, name: str) -> str:
    taken = "" if name == "val" else f", and {shown_path(name)}/ is taken for the test split"
    return f"{shown_path(str(root / 'train'))} is not a folder{taken}; {WELCOME}"


def _too_few(folder: Path, classes: Sequence[str]) -> str:
    place = shown_path(str(folder))
    if classes:
        return f"{place} holds one class, {shown_path(classes[0])!r}; at least 2 are needed"
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    found = f"it holds {abbreviated(names)}" if names else "it is empty"
    if any(map(is_suffix_of_picture, names)):
        tables = [n for n in names if n.lower().endswith((".csv", ".tsv", ".txt"))]
        such = f" (perhaps {shown_path(tables[0])})" if len(tables) == 1 else ""
        found += f"; for pictures without class folders name a table of file,label by {WHERE}{such}"
    return (
        f"{place} holds no class folders; {found}; {WELCOME}; pictures end in {listed_suffixes()}"
    )


def _refuse_data_sets(root: Path, classes: Sequence[str]) -> None:
    """Folders that have class folders in a train/ of their own are no classes."""
    for name in classes:
        inner = root / name / "train"
        if is_folder(inner) and len(class_folders(inner)) > 1:
            message = (
                f"{shown_path(str(root))} holds data sets where classes should be: "
                f"{shown_path(name)} has class folders in its train/; name one of them, such as "
                f"{shown_path(str(root / name))}"
            )
            raise InputError.of("data.folder", message)


def _differences(
    root: Path, train_name: str, name: str, train: Sequence[str], part: PartFolder
) -> list[Problem]:
    """Classes that only one of two parts has, where class folders say them; else strange labels."""
    if part.table is not None:
        return unknown_classes(part.table, part.rows, train)
    here = class_folders(part.folder)
    if not here and _holds_pictures(part.folder):
        message = (
            f"{shown_path(str(part.folder))} holds pictures and no class folders: sort them into "
            f"class folders, or put a table of file,label there, called {NAMES[0]}"
        )
        return [Problem("data.folder", message)]
    alone = {train_name: sorted(set(train) - set(here)), name: sorted(set(here) - set(train))}
    if not any(alone.values()):
        return []
    said = "; ".join(f"only in {p}/: {abbreviated(names)}" for p, names in alone.items() if names)
    look_alike = set(map(_as_read, alone[train_name])) & set(map(_as_read, alone[name]))
    hint = "; some differ in capitals alone, or in how Unicode writes them" if look_alike else ""
    return [Problem("data.folder", f"{shown_path(str(root))} has classes {said}{hint}")]


def _as_read(name: str) -> str:
    """The same for names that a person may take for the same, as é in one character and in two."""
    return unicodedata.normalize("NFC", name).casefold()
