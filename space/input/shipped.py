"""Configurations, spaces, protocols and recipes that come with the program, by their names.

In a checkout they are the files of `configs/`, in an installed package those of
`mixspace/configs/`, which are the same. A file that exists always comes before a name.
"""

from pathlib import Path
from typing import Literal

from space.errors import InputError
from space.input.paths import is_folder, is_there, shown_path
from space.wording import did_you_mean

Kind = Literal["configuration", "space", "protocol", "recipe"]

_ROOT = Path(__file__).absolute().parents[2]
_PLACES = (_ROOT / "mixspace" / "configs", _ROOT / "configs")
_BELOW: dict[Kind, str] = {
    "configuration": "",
    "space": "spaces",
    "protocol": "protocols",
    "recipe": "transfer",
}
_SUFFIX = ".yaml"


def folder_of(kind: Kind) -> Path:
    """The folder that has them; their names are those of its files, without `.yaml`."""
    return next(filter(is_folder, _PLACES), _PLACES[-1]) / _BELOW[kind]


def names_of(kind: Kind) -> list[str]:
    """The names that there are, sorted; none in a package that was taken apart."""
    return sorted(path.stem for path in folder_of(kind).glob(f"*{_SUFFIX}"))


def is_name(path: Path) -> bool:
    """Whether what was written may be a name: one word without a suffix."""
    return len(path.parts) == 1 and path.suffix not in (_SUFFIX, ".yml", ".json")


def file_or_shipped(path: Path, kind: Kind, where: str) -> Path:
    """The file of a path, or what comes with the program by that name.

    Args:
        path: as a person wrote it, `~` expanded.
        kind: of the file.
        where: what a refusal names.

    Raises:
        InputError: there is no such file, with the names that there are.
    """
    if is_there(path) and not is_folder(path):
        return path
    if is_name(path) and path.name in names_of(kind):
        return folder_of(kind) / f"{path.name}{_SUFFIX}"
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        message = f"there is no file {shown_path(str(path))}; {offered(path, kind)}"
        raise InputError.of(where, message) from None
    except OSError:
        return path  # who reads it says why that cannot be done
    return path


def offered(path: Path, kind: Kind) -> str:
    """What comes with the program, in words, for who wrote what is not there."""
    names = names_of(kind)
    meant = path.stem if path.suffix == _SUFFIX else path.name
    hint = f"; did you mean {meant!r}?" if meant in names else did_you_mean(meant, names)
    return f"a {kind} that comes with mixspace is given by its name: {', '.join(names)}{hint}"
