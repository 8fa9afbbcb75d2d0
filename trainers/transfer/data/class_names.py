"""Names of classes from a text file: one a line, or the table that comes with ADE20K."""

from pathlib import Path

from space.errors import InputError
from space.input.paths import shown_path

_TABLE = "Idx"
"""The first word of ADE20K's objectInfo150.txt, whose last column is the name."""


def read_class_names(path: Path) -> tuple[str, ...]:
    """The names, in the order of their numbers; empty lines do not count.

    Raises:
        InputError: where="data.class_names", it cannot be read, is empty, or names one twice.
    """
    place = shown_path(str(path))
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        message = f"{place} cannot be read: {error.strerror or error}"
        raise InputError.of("data.class_names", message) from None
    except UnicodeDecodeError:
        raise InputError.of("data.class_names", f"{place} is no text in UTF-8") from None
    lines = [line.strip() for line in lines if line.strip()]
    if lines and lines[0].split()[0] == _TABLE:
        # A name there stands with its synonyms; the first one is what people print.
        names = [line.split("\t")[-1].split(",")[0].strip() for line in lines[1:]]
        return _distinct(names)
    if not lines:
        raise InputError.of("data.class_names", f"{place} is empty")
    if twice := sorted({name for name in lines if lines.count(name) > 1}):
        message = f"{place} has names twice: {', '.join(map(shown_path, twice[:5]))}"
        raise InputError.of("data.class_names", message)
    return tuple(lines)


def _distinct(names: list[str]) -> tuple[str, ...]:
    """With a number behind names that were there before: ADE20K has two sorts of screen."""
    found: list[str] = []
    for name in names:
        same = sum(each == name or each.startswith(f"{name} (") for each in found)
        found.append(f"{name} ({same + 1})" if same else name)
    return tuple(found)
