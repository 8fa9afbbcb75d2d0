"""Makes `timm.data` and `timm.utils` importable without a package that they bring along.

timm imports wandb wherever it is installed, for a summary of its own. That takes every process that
augments images a second, and leaves folders in the temporary one where the process is killed.
"""

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from space.torchvision_support import prepare_torchvision


class _Later(ModuleType):
    """Stands for a package, which is imported when something of it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            raise AttributeError(name)  # asked amid the import, by what looks at all modules
        return getattr(import_module(self.__name__), name)


@cache
def prepare_timm() -> None:
    """Call it before anything of `timm.data` or `timm.utils` is imported.

    timm's summary still reaches wandb, for those who call it in a process of ours.
    """
    prepare_torchvision()
    if "wandb" in sys.modules or find_spec("wandb") is None:
        return
    sys.modules["wandb"] = _Later("wandb")
    try:
        import_module("timm.utils")
    finally:
        del sys.modules["wandb"]
