"""Plug-ins: modules of the user's that register mixers when they are imported."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from space.custom.definition import MixerDefinition
from space.custom.registry import modules_of_entry_points
from space.errors import InputError, Problem, refuse

_LOG = logging.getLogger(__name__)
MODULE_NAME = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
"""How a module is named, such as `my_mixers` or `my_package.mixers`."""


def load_plugins(modules: Sequence[str], where: str = "plugins") -> None:
    """Import modules by name, so that the mixers which they register are known.

    A module is looked for where Python looks, then in the working folder, which a program that pip
    installed does not search by itself. Its code runs: name only modules that you trust.

    Raises:
        InputError: for each module that is not there, or whose import fails.
    """
    problems: list[Problem] = []
    for index, module in enumerate(modules):
        try:
            _import(module)
        except InputError as error:  # its mixers are refused
            problems += error.below(f"{where}[{index}]").problems
        except Exception as error:  # noqa: BLE001  whatever the code of others raises
            problems.append(Problem(f"{where}[{index}]", _cannot(module, error)))
    refuse(problems)


def load_known_plugins(space: Mapping[str, Any]) -> None:
    """Import the plug-ins of a stored space as far as they are there, for looking at its networks.

    What is not there is told when a mixer of it is asked for.
    """
    for module in space.get("plugins", ()):
        try:
            load_plugins([module])
        except InputError as error:
            _LOG.info("%s", error)


def _import(module: str) -> None:
    if module.endswith(".py") or not re.fullmatch(MODULE_NAME, module):
        raise ImportError(module)
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        here = str(Path.cwd())
        if error.name != module.partition(".")[0] or here in sys.path:
            raise
        sys.path.append(here)
        import_module(module)


def _cannot(module: str, error: Exception) -> str:
    if module.endswith(".py") or not re.fullmatch(MODULE_NAME, module):
        name = module.removesuffix(".py").strip("./").replace("/", ".")
        return f"{module!r} is no name of a module; write it as Python imports it, such as {name!r}"
    if isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]:
        looked = f"along Python's path and in {Path.cwd()}"
        return f"there is no module {module!r} {looked}; a plug-in is one that registers mixers"
    return f"{module!r} cannot be imported: {type(error).__name__}: {error}"


def plugins_of(definitions: Sequence[MixerDefinition]) -> tuple[str, ...]:
    """The modules that another process must import to know these mixers."""
    modules = dict.fromkeys(definition.module for definition in definitions)
    found = modules_of_entry_points()
    return tuple(m for m in modules if not any(_holds(root, m) for root in found))


def comes_from(modules: Sequence[str], definition: MixerDefinition) -> bool:
    """Whether one of these modules, or a package among them, registers a mixer."""
    return any(_holds(module, definition.module) for module in modules)


def _holds(package: str, module: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def refuse_unimportable(definition: MixerDefinition, where: str) -> None:
    """Refuse a mixer that another process cannot get by importing its module.

    Raises:
        InputError: naming the mixer and what to do.
    """
    name = f"the mixer {definition.name!r}"
    if definition.module == "__main__":
        message = f"{name} is defined in a notebook or script, which workers cannot import"
        raise InputError.of(where, f"{message}: put it into a file beside it, and import that")
    if "<locals>" in definition.place:
        message = f"{name} is registered inside of a function ({definition.place})"
        told = f"so that a worker that imports {definition.module} would not know it"
        raise InputError.of(where, f"{message}, {told}: register it where the module is imported")
