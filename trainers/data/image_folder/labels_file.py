"""A table that says the class of each picture of a folder: `file,label`, with or without a header.

Comma or semicolon separated, or by tabs where the file is called .tsv or .txt. A column `split`
may say of which part a picture is.
"""

import csv
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from space.errors import InputError, Problem
from space.input.paths import shown_path

WHERE = "data.labels"
NAMES = ("labels.csv", "labels.tsv")
"""What a table is found by that lies in the folder and is not named."""

FILE_COLUMNS = (
    *("file", "filename", "file_name", "filepath", "path"),
    *("image", "image_id", "imageid", "image_name", "img", "id", "name"),
)
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "target")
SPLIT_COLUMNS = ("split", "part", "set", "subset")
_KAGGLE = ("imageid", "predictionstring")
"""Header of ImageNet's LOC_val_solution.csv: the first word of the second column is the class."""

_SHOWN = 10


class Row(NamedTuple):
    """What a line says of a picture; `part` is empty where the table has no column for it."""

    line: int
    file: str
    label: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class LabelsFile:
    """A table as it was read.

    Attributes:
        path: of the table. rows: in its order. has_parts: whether it says parts.
    """

    path: Path
    rows: tuple[Row, ...]
    has_parts: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of `class_order`."""
        return class_order({row.label for row in self.rows})


def class_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Class names in their order: numbers by their value where all are numbers, else as texts."""
    found = set(labels)
    if all(label.isascii() and label.isdigit() for label in found):
        return tuple(sorted(found, key=lambda label: (int(label), label)))
    return tuple(sorted(found))


def read_labels(path: Path) -> LabelsFile:
    """Read a table.

    Raises:
        InputError: it cannot be read, has no two columns, or has lines that say nothing of a file.
    """
    lines = _lines(path)
    if not lines:
        raise _refused(path, "is empty")
    header = [cell.strip().casefold() for cell in lines[0][1]]
    columns = _columns(path, header)
    body = lines[1:] if columns.header else lines
    kaggle = tuple(header[:2]) == _KAGGLE
    problems: list[str] = []
    rows: list[Row] = []
    for number, cells in body:
        if max(columns.all) >= len(cells):
            problems.append(f"line {number} has {len(cells)} of {max(columns.all) + 1} columns")
            continue
        file, label = (cells[at].strip() for at in (columns.file, columns.label))
        label = label.split(" ")[0] if kaggle else label
        part = "" if columns.split is None else cells[columns.split].strip()
        if not file or not label:
            problems.append(f"line {number} has no {'file' if not file else 'label'}")
        rows.append(Row(number, file, label, part))
    if problems:
        raise InputError(_first(path, problems))
    if not rows:
        raise _refused(path, "holds a header and nothing else")
    return LabelsFile(path, tuple(rows), columns.split is not None)


class _Columns(NamedTuple):
    file: int
    label: int
    split: int | None
    header: bool

    @property
    def all(self) -> tuple[int, ...]:
        """Those that a line must have."""
        return (self.file, self.label, *([] if self.split is None else [self.split]))


def _columns(path: Path, header: Sequence[str]) -> _Columns:
    """Which column is which: by their names, or of two by their order."""
    file, label, split = (
        next((header.index(name) for name in names if name in header), None)
        for names in (FILE_COLUMNS, (*LABEL_COLUMNS, *_KAGGLE[1:]), SPLIT_COLUMNS)
    )
    if file is not None and label is not None:
        return _Columns(file, label, split, True)
    if len(header) == 2:
        # Of two columns the order says which is which, whatever a header calls the other one.
        return _Columns(0, 1, None, file == 0 or (label == 1 and "." not in header[0]))
    found = ", ".join(map(shown_path, header[:_SHOWN]))
    raise _refused(
        path,
        f"has {len(header)} columns ({found}); allowed: two, file and label, or more with a header "
        f"that calls one of them {' or '.join(FILE_COLUMNS[:4])}, and one {LABEL_COLUMNS[0]} or "
        f"{' or '.join(LABEL_COLUMNS[2:5])}; one may be called split",
    )


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The cells of all lines that hold any, with the numbers of the lines."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            by_tab = path.suffix.lower() in (".tsv", ".txt") or ("\t" in first and "," not in first)
            by_semicolon = ";" in first and "," not in first
            delimiter = "\t" if by_tab else ";" if by_semicolon else ","
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            return [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except UnicodeDecodeError:
        raise _refused(path, "is not text in UTF-8") from None
    except csv.Error as error:
        raise _refused(path, f"cannot be read as a table: {error}") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from None


@dataclass(frozen=True, slots=True)
class Named:
    """The pictures that a table names.

    Attributes:
        rows: by the name of the picture below the folder.
        unnamed: pictures that lie there and that no line names.
    """

    rows: Mapping[str, Row]
    unnamed: int


def resolve(table: LabelsFile, rows: Sequence[Row], folder: Path, files: Sequence[str]) -> Named:
    """Find the pictures that lines name: by path, or by a name that only one picture has.

    The name may lack the suffix, as in tables that list ids.

    Args:
        table: for messages. rows: of it. folder: of the pictures. files: paths below it.

    Raises:
        InputError: naming lines whose file is missing, or not the only one, or there twice.
    """
    known, by_name = set(files), _by_name(files)
    found: dict[str, Row] = {}
    problems: list[str] = []
    for row in rows:
        asked = os.path.normpath(row.file)
        matches = [asked] if asked in known else by_name.get(asked, [])
        said = f"line {row.line}, {shown_path(row.file)}"
        if not matches:
            problems.append(f"{said}: there is no such picture in {shown_path(str(folder))}")
        elif len(matches) > 1:
            some = " and ".join(map(shown_path, matches[:2]))
            problems.append(f"{said}: may be {some}; write the path from the folder")
        elif (first := found.setdefault(matches[0], row)) is not row:
            problems.append(f"{said}: line {first.line} names the same picture")
    if problems:
        raise InputError(_first(table.path, problems))
    return Named(found, len(known) - len(found))


def _by_name(files: Sequence[str]) -> Mapping[str, list[str]]:
    """Files by what people call them: without folders, without suffix, or without both."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in files:
        name = file.rpartition("/")[2]
        end = name.rfind(".")
        without = len(file) - len(name) + end
        for other in {name, file[:without], name[:end]} - {file}:
            found[other].append(file)
    return found


def unknown_classes(
    table: LabelsFile, rows: Iterable[Row], classes: Sequence[str]
) -> list[Problem]:
    """Lines whose label is no class."""
    known = set(classes)
    counts = Counter(row.label for row in rows if row.label not in known)
    shown = classes if len(classes) <= _SHOWN else [*classes[:_SHOWN], "…"]
    allowed = ", ".join(map(shown_path, shown))
    problems = [
        f"label {shown_path(label)!r} ({number:,} lines) is no class; the classes are {allowed}"
        for label, number in sorted(counts.items())
    ]
    return list(_first(table.path, problems))


def _first(path: Path, problems: Sequence[str]) -> list[Problem]:
    """The first problems, and how many more there are."""
    place = shown_path(str(path))
    found = [Problem(WHERE, f"{place}: {problem}") for problem in problems[:_SHOWN]]
    if (more := len(problems) - _SHOWN) > 0:
        found.append(Problem(WHERE, f"{place}: {more:,} more like these"))
    return found


def _refused(path: Path, why: str) -> InputError:
    return InputError.of(WHERE, f"{shown_path(str(path))} {why}")
