"""From a YAML file and the command line to a configuration."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from search.config.config import Config
from search.config.overrides import apply_overrides
from space.errors import InputError, Problem


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice, which plain YAML silently drops."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: the key {key.value!r} stands there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        InputError: it is missing, unreadable, no YAML, or no mapping.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise InputError.of(where, f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError.of(where, f"{path} is not a text file in UTF-8") from None
    except (yaml.YAMLError, RecursionError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise InputError.of(where, f"{path} is not valid YAML: {text}") from None
    if not isinstance(values, dict):
        raise InputError.of(where, f"{path} must hold a mapping of fields; got {values!r}")
    return values


def load_config(
    path: Path,
    *,
    overrides: Sequence[str] = (),
    study: str | None = None,
    store: str | None = None,
) -> Config:
    """The checked configuration of a study.

    Args:
        path: the YAML file. Where `space` is a text, it is the path of another YAML file, seen
            from the folder of this one or from the working directory.
        overrides: texts such as "protocol.epochs=2", applied in order.
        study: replaces the name of the study.
        store: replaces the store.

    Raises:
        InputError: with every problem of every part.
    """
    values = read_yaml(path, "config")
    values = apply_overrides(values, overrides, lambda raw: _with_space(raw, path.parent))
    values = _with_space(values, path.parent)
    values |= {"study": study} if study is not None else {}
    values |= {"store": store} if store is not None else {}
    return Config.from_dict(values)


def _with_space(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values, with the space read from its own file where it is given by a path."""
    space = values.get("space")
    if not isinstance(space, str):
        return dict(values)
    candidates = [folder / space, Path(space)]
    for candidate in candidates:
        if candidate.is_file():
            return dict(values) | {"space": read_yaml(candidate, "space")}
    tried = " or ".join(dict.fromkeys(str(candidate) for candidate in candidates))
    raise InputError([Problem("space", f"there is no file {tried}")])
