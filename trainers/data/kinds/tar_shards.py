"""Pictures in tar files: WebDataset's shards, tars of class folders, or a tar for each class."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from space.errors import InputError, Problem, refuse
from space.input.paths import Folder, is_file, is_folder, shown_path
from trainers.data.data_kind import Part
from trainers.data.image_folder.class_folders import abbreviated
from trainers.data.image_folder.image_index import ImageIndex
from trainers.data.image_folder.indexing import Listed
from trainers.data.image_folder.labels_file import class_order
from trainers.data.image_folder.layout import SYNONYMS, Role
from trainers.data.picture_kind import PictureConfig, PictureKind
from trainers.data.tar_shards.samples import Shard, as_number, class_names, read_shard, told
from trainers.data.tar_shards.tar_files import InTars

_WORDS = re.compile(r"[A-Za-z]+")
_ROLES: dict[str, Role] = {name: role for role, names in SYNONYMS.items() for name in names}
_NAME_FILES = ("classes.txt", "classnames.txt")
_WHERE = "data.folder"
_SHOWN = 10


class TarShardsConfig(PictureConfig):
    """Tar files in a folder.

    Attributes:
        folder: with plain tars, whose names say their part, as train-0001.tar and val-01.tar, or
            in folders train/ and val/; where none says a part, all are to be trained on.
            classes.txt in it may say the names of classes that are numbers, one a line.
        label_key: what the label is called in the .json of a sample, where no .cls says it.
    """

    name: Literal["tar-shards"] = "tar-shards"
    folder: Folder
    label_key: str = "label"


class TarShards(PictureKind):
    """Pictures that are read from where they lie in a tar, in any order."""

    Config = TarShardsConfig
    config: TarShardsConfig

    def classes(self) -> tuple[str, ...]:
        return self._names[0]

    def test_place(self) -> Path | None:
        if "test" not in self._shards:
            return None
        return self.config.folder / self._shards["test"][0]

    def part_names(self) -> tuple[str, str]:
        return "the pictures of the search", "the test split"

    def listed(self, part: Part) -> Listed:
        roles: list[Role] = ["train", "validation"] if part == "train" else ["test"]
        roles = [role for role in roles if role in self._shards] or ["train"]
        names, number = self._names
        problems: list[Problem] = []
        found: dict[str, tuple[int, int, int]] = {}
        labels: list[int] = []
        own: list[bool] = []
        shards: list[str] = []
        for role in roles:
            for path, shard in zip(self._shards[role], self._read(role), strict=True):
                strange = Counter(s.label for s in shard.samples if s.label not in number)
                problems += (
                    [_no_class(self.config.folder / path, strange, names)] if strange else []
                )
                for sample in shard.samples if not strange else ():
                    member = sample.picture
                    found[f"{path}/{member.name}"] = (len(shards), member.offset, member.size)
                    labels.append(number[sample.label])
                    own.append(role == "validation")
                shards.append(path)
        refuse(problems)
        return Listed(self._index(shards, found, labels, own), remarks=self._remarks(roles))

    def _index(
        self,
        shards: Sequence[str],
        found: dict[str, tuple[int, int, int]],
        labels: Sequence[int],
        own: Sequence[bool],
    ) -> ImageIndex:
        """By class, then by name, as of folders."""
        files = [*found]
        order = sorted(range(len(files)), key=lambda place: (labels[place], files[place]))
        places = np.array(order, np.int64)
        mask = np.array(own, np.bool_)[places] if any(own) else None
        return ImageIndex(
            InTars(self.config.folder, shards, found),
            self._names[0],
            tuple(files[place] for place in order),
            np.array([size for _, _, size in found.values()], np.int64)[places],
            np.array(labels, np.int64)[places],
            validation=mask,
            class_in_name=False,
        )

    @cached_property
    def _names(self) -> tuple[tuple[str, ...], dict[str, int]]:
        """The classes, and their numbers by what labels say."""
        labels = {sample.label for shard in self._read("train") for sample in shard.samples}
        place = shown_path(str(self.config.folder))
        if len(labels) < 2:
            found = f"one class, {shown_path(min(labels))!r}" if labels else "no labelled pictures"
            message = f"{place} holds {found} to train on; at least 2 classes are needed"
            raise InputError.of(_WHERE, message)
        names = self._written_names()
        if names is None:
            classes = class_order(labels)
            return classes, {label: number for number, label in enumerate(classes)}
        return names, {
            label: value
            for label in labels | {str(number) for number in range(len(names))}
            if (value := as_number(label)) is not None and value < len(names)
        }

    def _written_names(self) -> tuple[str, ...] | None:
        path = next((p for n in _NAME_FILES if is_file(p := self.config.folder / n)), None)
        if path is None:
            return None
        try:
            return tuple(class_names(path))
        except (OSError, UnicodeDecodeError) as error:
            message = f"{shown_path(str(path))} cannot be read ({error})"
            raise InputError.of(_WHERE, message) from None

    @cached_property
    def _shards(self) -> dict[Role, tuple[str, ...]]:
        """Paths of the tars from the folder, by their part."""
        root = self.config.folder
        if not is_folder(root):
            raise InputError.of(_WHERE, f"{shown_path(str(root))} is not a folder")
        paths = sorted({*root.glob("*.tar"), *root.glob("*/*.tar")})
        names = [str(p.relative_to(root)) for p in paths if is_file(p) and p.name[0] != "."]
        if not names:
            compressed = sorted(p.name for p in root.glob("*.t*gz"))
            also = f"; it holds {abbreviated(compressed)}: decompress them" if compressed else ""
            message = f"{shown_path(str(root))} holds no .tar files, nor do folders in it{also}"
            raise InputError.of(_WHERE, message)
        by_role: dict[Role | None, list[str]] = {}
        for name in names:
            by_role.setdefault(_role(name), []).append(name)
        nobody = by_role.pop(None, [])
        if not by_role:
            return {"train": tuple(nobody)}
        if nobody or "train" not in by_role:
            said = abbreviated(nobody) if nobody else "no training shards"
            place, words = shown_path(str(root)), ", ".join(_ROLES)
            rule = f"where names of tars say a part, all must have one of {words} in them"
            message = f"{place} holds {said}: {rule}, and some train"
            raise InputError.of(_WHERE, message)
        found = {role: tuple(paths) for role, paths in by_role.items() if role is not None}
        if "test" not in found and "validation" in found:
            found["test"] = found.pop("validation")
        return found

    def _read(self, role: Role) -> list[Shard]:
        """What the tars of a part hold; each is read once.

        Raises:
            InputError: with all that is wrong with all of them.
        """
        if role in self._contents:
            return self._contents[role]
        problems: list[Problem] = []
        shards = []
        for name in self._shards[role]:
            path = self.config.folder / name
            try:
                shard = read_shard(path, self.config.label_key)
            except InputError as error:
                problems += error.problems
                continue
            place = shown_path(str(path))
            problems += [Problem(_WHERE, f"{place} {said}") for said in shard.problems]
            shards.append(shard)
        if len(problems) > _SHOWN:
            more = Problem(_WHERE, f"{len(problems) - _SHOWN:,} more like these")
            problems = [*problems[:_SHOWN], more]
        refuse(problems)
        self._contents[role] = shards
        return shards

    @cached_property
    def _contents(self) -> dict[Role, list[Shard]]:
        return {}

    def _remarks(self, roles: Sequence[Role]) -> tuple[str, ...]:
        said = []
        number = sum(len(self._shards[role]) for role in roles)
        said.append(f"they lie in {number:,} tar files")
        others: Counter[str] = Counter()
        for role in roles:
            for shard in self._read(role):
                others.update(shard.others)
        if others:
            kinds = ", ".join(f"{n:,} {shown_path(s)}" for s, n in sorted(others.items())[:_SHOWN])
            said.append(f"left out for their suffix: {kinds}")
        if "validation" in self._shards:
            said.append(
                "the validation part are the shards called so, and protocol.validation_fraction "
                "decides nothing"
            )
        return tuple(said)


def _role(name: str) -> Role | None:
    """The part that a path says: its folder, or the first word of its name that is one."""
    found = (_ROLES.get(word.lower()) for word in _WORDS.findall(name.removesuffix(".tar")))
    return next((role for role in found if role is not None), None)


def _no_class(path: Path, strange: Counter[str], classes: Sequence[str]) -> Problem:
    label, number = min(strange.items())
    more = f", and {len(strange) - 1:,} other labels" if len(strange) > 1 else ""
    message = (
        f"{shown_path(str(path))} has label {told(label)} ({number:,} pictures{more}), which is no "
        f"class; the {len(classes):,} classes are {abbreviated(classes)}"
    )
    return Problem(_WHERE, message)
