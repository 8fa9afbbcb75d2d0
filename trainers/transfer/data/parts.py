"""Which pictures are trained on and which are validated on, and what identifies both."""

import hashlib
import json
from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError, Problem, refuse
from space.input.paths import shown_path
from space.wording import count
from trainers.seeds import derive
from trainers.transfer.data.data_config import TransferDataConfig

_FRACTION = 0.1
"""Share that is held out for validation where nothing else is said."""


class Index(Protocol):
    """The pictures of a part."""

    @property
    def files(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Hashes of their bytes."""

    def only(self, positions: NDArray[np.int64]) -> Self:
        """Some of them, in the given order."""

    def add_to(self, digest: "hashlib._Hash") -> None:
        """All that they are, into a hash."""


IndexT = TypeVar("IndexT", bound=Index)


def divided(
    train: IndexT, validation: IndexT | None = None, *, config: TransferDataConfig
) -> tuple[IndexT, IndexT, tuple[str, ...]]:
    """Both parts, and a sentence on them where a share of the pictures is held out.

    Pictures of a part stay in the order of their names.

    Raises:
        InputError: a fraction was given for data with both parts.
    """
    if validation is not None and config.validation_fraction is not None:
        message = "only for data without a validation part, and these have one"
        raise InputError.of("data.validation_fraction", message)
    if validation is not None:
        return train, validation, ()
    train, held_out = _held_out(train, config)
    held = count(len(held_out.files), "picture")
    return train, held_out, (f"held out for validation (data.validation_fraction): {held}",)


def limited(
    train: IndexT, validation: IndexT, config: TransferDataConfig
) -> tuple[IndexT, IndexT, tuple[str, ...]]:
    """As many pictures of both parts as are asked for, and a sentence on copies.

    Raises:
        InputError: one of them is too small.
    """
    train = _limited(train, config.limit_train, config.split_seed, "train")
    validation = _limited(validation, config.limit_validation, config.split_seed, "validation")
    counts = {"train on": (len(train.files), 2), "validate on": (len(validation.files), 1)}
    refuse(
        Problem("data", f"have {count(there, 'picture')} to {name}; at least {least} needed")
        for name, (there, least) in counts.items()
        if there < least
    )
    return train, validation, _copies(train, validation)


def content_hash(train: Index, validation: Index, classes: Sequence[str], *options: object) -> str:
    """16 hex digits over both parts, the names of the classes, and what is done with them.

    Neither the path of the folder nor anything beside pictures, masks and annotations is in it.
    """
    digest = hashlib.sha256(json.dumps([list(classes), *options]).encode())
    for part in (train, validation):
        part.add_to(digest)  # beginning with what parts begin with
    return digest.hexdigest()[:16]


def _held_out(index: IndexT, config: TransferDataConfig) -> tuple[IndexT, IndexT]:
    fraction = config.validation_fraction
    total = len(index.files)
    share = max(1, round(total * (_FRACTION if fraction is None else fraction)))
    order = _shuffled(total, config.split_seed, "split")
    return index.only(np.sort(order[share:])), index.only(np.sort(order[:share]))


def _limited(index: IndexT, limit: int | None, seed: int, name: str) -> IndexT:
    if limit is None or limit >= len(index.files):
        return index
    return index.only(np.sort(_shuffled(len(index.files), seed, f"limit {name}")[:limit]))


def _shuffled(total: int, seed: int, purpose: str) -> NDArray[np.int64]:
    return np.random.Generator(np.random.PCG64(derive(seed, purpose))).permutation(total)


def _copies(train: Index, validation: Index) -> tuple[str, ...]:
    """A sentence on pictures that are in both parts, or none."""
    first = dict(zip(train.digests, train.files, strict=True))
    both = [
        (file, first[digest])
        for file, digest in zip(validation.files, validation.digests, strict=True)
        if digest in first
    ]
    if not both:
        return ()
    one, other = map(shown_path, both[0])
    return (
        f"{count(len(both), 'picture')} to validate on {'is' if len(both) == 1 else 'are'} also "
        f"trained on, such as {one}, there {other}: the validation will flatter",
    )
