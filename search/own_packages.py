"""The packages of this program, whatever else has their names where Python looks.

`space`, `search`, `trainers` and `dashboard` are words that people give to modules of their own.
Python looks in the working folder first (`python -m`) and in PYTHONPATH, and Ray's workers in the
working folder of their driver. Once this module is imported, each of the four comes
from the folder that this one is in; `search` imports it before the others.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

PACKAGES = ("space", "trainers", "search", "dashboard")
ROOT = Path(__file__).absolute().parent.parent


class OwnPackages:
    """Finds the packages in their own folder, before Python looks for them along its path."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a package is; None for all other modules."""
        return PathFinder.find_spec(name, [str(ROOT)]) if name in PACKAGES else None


def place_of_foreign(name: str, folder: Path) -> Path | None:
    """Where a folder has a module with the name of one of our packages, and is not ours.

    A folder of that name without modules, say with data, is none: Python prefers ours.
    """
    found = PathFinder.find_spec(name, [str(folder)])
    origin = None if found is None else found.origin
    return None if origin is None or _is_ours(name, origin) else Path(origin)


def _is_ours(name: str, file: str) -> bool:
    return Path(file).resolve().parent == (ROOT / name).resolve()


def _refuse_loaded() -> None:
    """Refuse to work with a module that was taken for a package of ours before.

    Raises:
        ImportError: naming its file.
    """
    for name in PACKAGES:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is not None and not _is_ours(name, file):
            raise ImportError(
                f"{file} was imported as {name!r}, which is a name of mixspace's own "
                f"({ROOT / name}): rename it, or use mixspace in a process without it"
            )


_refuse_loaded()
sys.meta_path.insert(0, OwnPackages)
