"""What a command is about: a name of the zoo or of a space of ours, or a file with one or a mixer.

What a file describes is told by its fields: one with a mistake has a kind too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from space.architecture import Architecture
from space.axes import AXES
from space.cost import cost, memory
from space.custom import load_plugins
from space.design import DesignSpace
from space.design.space_file import SpaceFile
from space.errors import InputError
from space.input.plain_files import read_json, read_yaml
from space.input.shipped import folder_of, names_of
from space.mixer import Mixer
from space.published import ENTRIES, ZooEntry
from space.wording import did_you_mean

_READERS = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}


@dataclass(frozen=True)
class Subject:
    """What was named on the command line.

    Attributes:
        name: as it was named.
        value: what it is.
        entry: the entry of the zoo, if it is one.
    """

    name: str
    value: Architecture | DesignSpace | Mixer
    entry: ZooEntry | None = None

    def space(self) -> DesignSpace:
        """The design space.

        Raises:
            InputError: if it is something else.
        """
        if isinstance(self.value, DesignSpace):
            return self.value
        raise InputError.of(
            self.name, f"is {kind(self.value)}, and a space file is needed here (YAML)"
        )


def kind(value: Architecture | DesignSpace | Mixer) -> str:
    """What a value is, in words."""
    if isinstance(value, Architecture):
        return "a network"
    return "a design space" if isinstance(value, DesignSpace) else "a token mixer"


def read_subject(name: str, plugins: Sequence[str] = ()) -> Subject:
    """What a name or a path stands for.

    Args:
        name: as it was written on the command line.
        plugins: modules that register custom mixers, for a file that does not name them itself.

    Raises:
        InputError: with everything that is wrong with the file, or the names that there are.
    """
    load_plugins(plugins, "--plugin")
    if name in ENTRIES:
        return Subject(name, ENTRIES[name].architecture, ENTRIES[name])
    suffix = Path(name).suffix.lower()
    if suffix in _READERS:
        return Subject(name, described(_READERS[suffix](name), name))
    if name in (spaces := names_of("space")):
        file = folder_of("space") / f"{name}.yaml"
        return Subject(name, described(read_yaml(file), name))
    hint = did_you_mean(name, [*ENTRIES, *spaces]) or "."
    raise InputError.of(
        name[:200] or "''",
        "is neither a .yaml or .json file, nor a network of the zoo, nor a space that comes with "
        f"mixspace{hint} The zoo has: {', '.join(ENTRIES)}. The spaces are: {', '.join(spaces)}",
    )


def quantities(architecture: Architecture) -> dict[str, int]:
    """The metrics of a network that a space may limit."""
    spent, used = cost(architecture), memory(architecture)
    return {
        "params": spent.params,
        "macs": spent.macs,
        "training_bytes": used.training_bytes,
        "inference_bytes": used.inference_bytes,
    }


_MIXER = {field.name for field in fields(Mixer)} | {"custom"}
_NETWORK = {field.name for field in fields(Architecture)}
_SPACE = set(SpaceFile.model_fields)
_SHARED = [name for name in SpaceFile.model_fields if name in _NETWORK]
_SEARCH = {"study", "store", "protocol", "searcher", "scheduler", "trials"}


def described(values: Any, name: str) -> Architecture | DesignSpace | Mixer:
    """What the values of a file describe.

    Args:
        values: plain values.
        name: of the file, for refusals of the whole.

    Raises:
        InputError: with everything that is wrong with them as what they are meant to be, or for
            values that are meant to be something else.
    """
    if not isinstance(values, dict):
        raise InputError.of(name, "holds no mapping of fields: no network, space or mixer")
    if "architecture" in values:  # a network as `sample` prints it
        return Architecture.from_dict(values["architecture"], "architecture")
    fields_there = values.keys()
    if fields_there & _SEARCH:
        raise InputError.of(name, _of_a_search(values))
    if fields_there & _MIXER and not fields_there & (_NETWORK | _SPACE):
        return Mixer.from_dict(values, "")
    if not fields_there & (_NETWORK | _SPACE):
        known = f"a network or space has {', '.join(_SHARED)}, a mixer {', '.join(AXES)}"
        raise InputError.of(name, f"has no field that tells what it describes: {known}")
    offers = _offers_choices(values)
    return DesignSpace.from_dict(values) if offers else Architecture.from_dict(values)


def _of_a_search(values: dict[str, Any]) -> str:
    space = values.get("space")
    where = f"in the file {space!r:.200}" if isinstance(space, str) else "its field `space`"
    return f"is the configuration of a search, and no network, space or mixer; its space is {where}"


def _offers_choices(values: dict[str, Any]) -> bool:
    """Whether a file is a space: a network has one value for each field, a space may offer more.

    The classes of a network are in its head. Signs of a space are the fields that no network has,
    such as `classes` and `limits`, lists of values, and mixers by name or for all stages at once.
    """
    head, stages = values.get("head"), values.get("stages")
    if isinstance(head, dict) and "classes" in head:
        return False
    if values.keys() & (_SPACE - _NETWORK) or not isinstance(stages, list):
        return True
    mappings = [stage for stage in stages if isinstance(stage, dict)]
    return not any("mixers" in stage for stage in mappings) or any(map(_is_choice, mappings))


def _is_choice(stage: dict[str, Any]) -> bool:
    mixers = stage.get("mixers")
    sizes = [value for name, value in stage.items() if name != "mixers"]
    lines = mixers if isinstance(mixers, list) else []
    return _has_list(sizes) or not all(map(_is_single_mixer, lines))


def _is_single_mixer(line: Any) -> bool:
    return isinstance(line, dict) and "operator" not in line and not _has_list(line.values())


def _has_list(values: Iterable[Any]) -> bool:
    return any(isinstance(value, list) for value in values)
