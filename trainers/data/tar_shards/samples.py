"""Finds the pictures in a tar and the label of each: by WebDataset's rule, or by folders.

By WebDataset's rule members whose names are equal up to the first dot are one sample, as 0001.jpg
and 0001.cls, or 0001.json that says the label. Where no member is called .cls or .json the folder
that a picture lies in is its class, or the tar, where it lies in none.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from space.input.paths import shown_path
from space.wording import as_written
from trainers.data.image_folder.class_folders import is_suffix_of_picture
from trainers.data.image_folder.decoding import suffixes
from trainers.data.tar_shards.headers import Member
from trainers.data.tar_shards.tar_files import members

_LABELS = ("cls", "json")
_LONGEST_LABEL = 1 << 20
"""Bytes of a member that says a label."""


class Sample(NamedTuple):
    """A picture and the text of its label."""

    picture: Member
    label: str


@dataclass(slots=True)
class Shard:
    """What a tar holds.

    Attributes:
        samples: the pictures, in the order of the tar.
        problems: what is wrong with it, in words.
        others: members that are no pictures and say no label, by suffix.
    """

    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def read_shard(path: Path, label_key: str) -> Shard:
    """Find the pictures of a tar.

    Args:
        path: of the tar. label_key: of the label in a .json.

    Raises:
        InputError: it is no tar that can be read.
    """
    found, repeated = _once(members(path))
    shard = Shard()
    if repeated:
        shard.problems.append(f"holds {_some(repeated)} more than once")
    by_rule = any(_extension(each.name) in _LABELS for each in found)
    (_by_rule if by_rule else _by_folder)(path, found, label_key, shard)
    return shard


def _once(found: Iterable[Member]) -> tuple[list[Member], list[str]]:
    """Visible members, and names that come again."""
    names: dict[str, Member] = {}
    repeated = []
    for member in found:
        if any(part.startswith(".") for part in member.name.split("/")):
            continue
        if names.setdefault(member.name, member) is not member:
            repeated.append(member.name)
    return list(names.values()), repeated


def _by_folder(path: Path, found: Sequence[Member], label_key: str, shard: Shard) -> None:
    for member in found:
        if not is_suffix_of_picture(member.name):
            shard.others[_suffix(member.name)] += 1
            continue
        above = member.name.split("/")[:-1]
        label = above[-1].removesuffix(".tar") if above else path.stem
        shard.samples.append(Sample(member, label))


def _by_rule(path: Path, found: Sequence[Member], label_key: str, shard: Shard) -> None:
    samples: dict[str, dict[str, Member]] = {}
    for member in found:
        samples.setdefault(_key(member.name), {})[_extension(member.name)] = member
    unlabelled, several = [], []
    with path.open("rb") as file:
        for key, parts in samples.items():
            pictures = [each for kind, each in parts.items() if f".{kind}" in suffixes()]
            shard.others.update(f".{kind}" for kind in parts if not _counts(kind))
            if len(pictures) > 1:
                several.append(key)
            for picture in pictures[:1]:
                label = _label(file, parts, label_key)
                if label is None:
                    unlabelled.append(picture.name)
                else:
                    shard.samples.append(Sample(picture, label))
    if unlabelled:
        said = f"a .cls, or a .json with a label at {label_key!r} (data.label_key)"
        shard.problems.append(f"has no label of {_some(unlabelled)}: {said} is needed")
    if several:
        shard.problems.append(f"has several pictures of one sample: {_some(several)}")


def _counts(kind: str) -> bool:
    return kind in _LABELS or f".{kind}" in suffixes()


def _label(file: Any, parts: dict[str, Member], label_key: str) -> str | None:
    """What the members of a sample say of its class; None where they do not."""
    if (member := parts.get("cls")) is not None:
        text = _content(file, member)
        return text.strip() or None if text is not None else None
    if (member := parts.get("json")) is None:
        return None
    try:
        said = json.loads(_content(file, member) or "null")
    except (ValueError, RecursionError):
        return None
    value = said.get(label_key) if isinstance(said, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    return str(value)


def _content(file: Any, member: Member) -> str | None:
    if member.size > _LONGEST_LABEL:
        return None
    file.seek(member.offset)
    try:
        return str(file.read(member.size), "utf-8")
    except UnicodeDecodeError:
        return None


def _key(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _extension(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[2].lower()


def _suffix(name: str) -> str:
    base = name.rpartition("/")[2]
    return f".{base.rpartition('.')[2].lower()}" if "." in base else "none"


def _some(names: Sequence[str]) -> str:
    first = shown_path(names[0])
    return first if len(names) == 1 else f"{first} and {len(names) - 1:,} more"


def class_names(path: Path) -> Iterator[str]:
    """The names of classes that are numbers, one a line; what comes twice has its number behind.

    Raises:
        OSError: the file cannot be read. UnicodeDecodeError: it is no text.
    """
    lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    counts = Counter(lines)
    for number, line in enumerate(lines):
        yield line if line and counts[line] == 1 else f"{line} ({number})".strip()


def as_number(label: str) -> int | None:
    """The number that a label is, or None."""
    return int(label) if label.isascii() and label.isdigit() else None


def told(label: str) -> str:
    """A label in a message."""
    return as_written(label)
