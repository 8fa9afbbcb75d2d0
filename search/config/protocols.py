"""The protocol of a full training: what a person names, on the data and the split of the search."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.config.overrides import Override, apply_overrides
from search.config.reading import mapping_in
from space.errors import InputError, Problem, refuse
from space.input.paths import given_path
from space.input.shipped import file_or_shipped
from trainers import Protocol

WHERE = "protocol"

OF_THE_SEARCH = {
    "data": "the images are those of the search",
    "split_seed": "the split is that of the search, whose test images nobody has trained on",
    "validation_fraction": "the split is that of the search, whose validation images chose",
    "augmentation.image_size": "the input size of an architecture belongs to it",
}
"""Fields that a full training does not choose, and why not."""

_BEGINS = ("scratch", "finetuned")
"""How a full training may begin: what inherits is judged by what was trained before."""

Given = str | Path | Protocol | None


def full_protocol(
    search: Protocol, given: Given = None, overrides: Sequence[str | Override] = ()
) -> Protocol:
    """The protocol of a full training of networks that were found under another one.

    Args:
        search: the protocol of the search, with the hash of its images. What a recipe does not
            choose is taken from it; where nothing is given, all. It begins from scratch, unless
            it finetunes, as the search did or as the recipe says.
        given: the path of a YAML file that holds the fields of a protocol, or a configuration with
            a section `protocol`; the name of one that comes with the program; a Protocol.
        overrides: changes of single fields, `protocol.FIELD=VALUE`. `protocol.content_hash=null`
            lets the images be others than those of the search.

    Raises:
        InputError: there is no such file, it has unknown fields or values off what is allowed, or
            wants another value of what belongs to the search or to the architecture.
    """
    finetunes = search.initialisation == "finetuned"
    base = search.to_dict() | {"initialisation": "finetuned" if finetunes else "scratch"}
    # Another part of the same images is a split of its own; whose weights, `finetune_from` says.
    base |= {"split_hash": None, "source_protocol": None}
    values = base if given is None else _with_the_search(_written(given), base)
    changed = apply_overrides({WHERE: values}, overrides, dict)[WHERE]
    if not isinstance(changed, Mapping):
        raise InputError.of(WHERE, f"must be a mapping of fields; got {changed!r:.80}")
    found = Protocol.from_dict(changed)
    _refuse_others(found, base)
    return found


def _written(given: str | Path | Protocol) -> dict[str, Any]:
    """The fields that a person wrote."""
    if isinstance(given, Protocol):
        return given.to_dict()
    path = file_or_shipped(given_path(str(given), WHERE), "protocol", WHERE)
    values = mapping_in(path, WHERE)
    section = values.get("protocol")
    return dict(section) if isinstance(section, Mapping) else values


def _with_the_search(written: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """The written fields, and those of the search that are not written."""
    names = (*(name for name in OF_THE_SEARCH if "." not in name), "content_hash", "initialisation")
    values = {name: base[name] for name in names} | dict(written)
    if values["content_hash"] is None:
        values["content_hash"] = base["content_hash"]
    augmentation = values.get("augmentation", {})
    if isinstance(augmentation, Mapping):
        size = {"image_size": base["augmentation"]["image_size"]}
        values["augmentation"] = size | dict(augmentation)
    return values


def _refuse_others(found: Protocol, base: Mapping[str, Any]) -> None:
    values = found.to_dict()
    problems = [
        Problem(f"{WHERE}.{path}", f"must be {_at(base, path)!r}: {why}; got {_at(values, path)!r}")
        for path, why in OF_THE_SEARCH.items()
        if _at(values, path) != _at(base, path)
    ]
    if found.initialisation not in _BEGINS:
        message = f"must be {' or '.join(map(repr, _BEGINS))}: a full training inherits nothing"
        problems.append(
            Problem(f"{WHERE}.initialisation", f"{message}; got {found.initialisation!r}")
        )
    if found.content_hash not in (None, base["content_hash"]):
        message = f"must be {base['content_hash']!r}, or null for other images; got "
        problems.append(Problem(f"{WHERE}.content_hash", f"{message}{found.content_hash!r}"))
    refuse(problems)


def _at(values: Mapping[str, Any], path: str) -> Any:
    for step in path.split("."):
        values = values[step]
    return values
