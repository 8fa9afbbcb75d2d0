"""From a YAML file, the command line or Python to a configuration."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.config.config import Config
from search.config.overrides import Override, apply_overrides, overrides_of
from space.errors import InputError, Problem
from space.input.paths import given_path, is_folder, is_there, shown_path
from space.input.plain_files import read_yaml
from space.input.shipped import file_or_shipped


def mapping_in(path: Path, where: str) -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        InputError: it is missing, unreadable, no YAML, or no mapping.
    """
    try:
        values = read_yaml(path)
    except InputError as error:
        raise InputError(Problem(where, str(problem)) for problem in error.problems) from None
    if not isinstance(values, dict):
        raise InputError.of(
            where, f"{shown_path(str(path))} must hold a mapping of fields; got {values!r:.80}"
        )
    return values


def load_config(
    path: Path,
    *,
    overrides: Sequence[str | Override] = (),
    study: str | None = None,
    store: str | None = None,
) -> Config:
    """The checked configuration of a study.

    Args:
        path: the YAML file, `~` is the home; or the name of one that comes with the program. Where
            `space` is a text, it is the path of another YAML file, seen from the folder of this one
            or from the working directory, or a name too.
        overrides: changes, or texts such as "protocol.epochs=2", applied in order.
        study: replaces the name of the study.
        store: replaces the store.

    Raises:
        InputError: with every problem of every part.
    """
    path = file_or_shipped(given_path(path, "config"), "configuration", "config")
    values = _changed(mapping_in(path, "config"), overrides, path.parent)
    values |= {"study": study} if study is not None else {}
    values |= {"store": store} if store is not None else {}
    return Config.from_dict(values)


def config_from(given: object, fields: Mapping[str, Any], store: str | None = None) -> Config:
    """The checked configuration that a person who writes Python means.

    Args:
        given: path of a YAML file or the name of one that comes with the program, a mapping as it
            would hold, a Config, or None for nothing.
        fields: what is changed, by the names of the configuration; of a mapping its fields alone.
        store: replaces the store of a file, and the default one of what is given in Python.

    Raises:
        InputError: with every problem of every part.
    """
    written = given.model_fields_set if isinstance(given, Config) else given
    has_store = isinstance(written, Mapping | set) and "store" in written
    default = {} if store is None or has_store else {"store": store}
    overrides = overrides_of(default | dict(fields))
    if isinstance(given, str | Path):
        return load_config(Path(given), overrides=overrides)
    if isinstance(given, Config):
        if not overrides:
            return given  # what was left at its default is known of it
        given = given.to_dict()
    if given is not None and not isinstance(given, Mapping):
        message = f"must be the path of a YAML file, a mapping or a Config; got {given!r:.80}"
        raise InputError.of("config", message)
    return Config.from_dict(_changed(given or {}, overrides, Path()))


def _changed(
    values: Mapping[str, Any], overrides: Sequence[str | Override], folder: Path
) -> dict[str, Any]:
    """The values with the overrides, and with the space of its own file, seen from the folder."""
    changed = apply_overrides(values, overrides, lambda raw: _with_space(raw, folder))
    return _with_space(changed, folder)


def _with_space(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values, with the space read from its own file where it is given by a path or name."""
    space = values.get("space")
    if not isinstance(space, str | os.PathLike):
        return dict(values)
    written = given_path(os.fspath(space), "space")
    beside = folder / written
    found = beside if is_there(beside) and not is_folder(beside) else None
    return dict(values) | {
        "space": mapping_in(found or file_or_shipped(written, "space", "space"), "space")
    }
