"""The kinds of data there are, by name. A kind is one file in `trainers.data.kinds`."""

from importlib import import_module
from typing import Any

from space.errors import InputError
from space.wording import as_written, did_you_mean

_KINDS = "trainers.data.kinds"

PLACES: dict[str, str] = {
    "fashion-mnist": f"{_KINDS}.fashion_mnist:FashionMnist",
    "image-folder": f"{_KINDS}.folder_of_images:ImageFolder",
    "tar-shards": f"{_KINDS}.tar_shards:TarShards",
    "timm": f"{_KINDS}.timm_dataset:TimmDataset",
    "idx": f"{_KINDS}.idx_files:IdxFiles",
    "cifar10": f"{_KINDS}.cifar:Cifar10",
    "cifar100": f"{_KINDS}.cifar:Cifar100",
    "npz": f"{_KINDS}.npz:Npz",
}
"""The class of each by "module:class"; a module is imported only when its kind is asked for."""

DEFAULT = "fashion-mnist"


def kind_of(name: object) -> Any:
    """The class of a name, a `trainers.data.data_kind.DataKind`.

    Raises:
        InputError: where="name", there is none of that name.
    """
    if not isinstance(name, str) or name not in PLACES:
        *others, last = map(repr, PLACES)
        message = f"must be {', '.join(others)} or {last}; got {as_written(name)}"
        raise InputError.of("name", message + did_you_mean(str(name), PLACES))
    module, _, class_name = PLACES[name].partition(":")
    return getattr(import_module(module), class_name)


def names_with(field: str) -> list[str]:
    """The kinds that have a field."""
    return [name for name in PLACES if field in kind_of(name).Config.model_fields]
