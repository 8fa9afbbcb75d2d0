"""Splits labelled images into training and validation, once, by a stored seed."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.errors import Problem, refuse

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Positions of the training and of the validation images, and a hash of both.

    In both, classes alternate, so that a prefix of any length is spread evenly over the classes.
    """

    train: Indices
    validation: Indices

    @property
    def hash(self) -> str:
        """16 hex digits over all positions."""
        digest = hashlib.sha256()
        for part in (self.train, self.validation):
            digest.update(np.asarray([part.size], "<i8").tobytes() + part.astype("<i8").tobytes())
        return digest.hexdigest()[:16]


def split_train_validation(
    labels: NDArray[np.integer],
    *,
    seed: int,
    validation_fraction: float,
    limit_train: int | None = None,
    limit_validation: int | None = None,
    field: str = "protocol.validation_fraction",
) -> Split:
    """Stratified split: of all images the share goes to validation, spread over the classes.

    The share is kept in total, by largest remainders (`held_out_of`). Of a class with one image
    that image is trained on.

    Args:
        labels: (images,) class numbers.
        seed: the only thing besides the labels that decides the split.
        validation_fraction: share of all images that is held out.
        limit_train, limit_validation: keep at most so many images, evenly over the classes.
        field: where a person wrote the share; "data.test_fraction" where the part is for the test.

    Raises:
        InputError: if a part comes out empty, or training is left with fewer than 2 images.
    """
    rank, held_out = _ranks(labels, seed, validation_fraction)
    order = np.lexsort((labels, rank))
    is_validation = rank[order] < held_out[order]
    split = Split(
        train=order[~is_validation][:limit_train],
        validation=order[is_validation][:limit_validation],
    )
    _check(split, len(labels), validation_fraction, field)
    return split


def _ranks(
    labels: NDArray[np.integer], seed: int, validation_fraction: float
) -> tuple[Indices, Indices]:
    """For every image its place in the shuffled row of its class, and how many are held out."""
    generator = np.random.Generator(np.random.PCG64(seed))
    rank = np.empty(len(labels), np.int64)
    found, label_of, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    rows = np.split(np.argsort(label_of, kind="stable"), np.cumsum(sizes)[:-1])
    for members in rows[: len(found)]:
        rank[generator.permutation(members)] = np.arange(members.size)
    held_out: Indices = held_out_of(sizes, validation_fraction, generator)[label_of]
    return rank, held_out


def split_given(
    labels: NDArray[np.integer],
    validation: NDArray[np.bool_],
    *,
    seed: int,
    limit_train: int | None = None,
    limit_validation: int | None = None,
) -> Split:
    """The split that the data themselves say; the seed decides the order within the classes.

    Args:
        labels: (images,) class numbers.
        validation: (images,) whether an image is of the validation part.
        seed, limit_train, limit_validation: as of `split_train_validation`.

    Raises:
        InputError: where="data", if validation is empty, or training has fewer than 2 images.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    train, held_out = (
        _spread(labels, np.flatnonzero(part), generator) for part in (~validation, validation)
    )
    split = Split(train[:limit_train], held_out[:limit_validation])
    refuse(
        Problem("data", f"have {part.size} images for {name}; at least {least} needed")
        for name, part, least in (("train", split.train, 2), ("validation", split.validation, 1))
        if part.size < least
    )
    return split


def _spread(
    labels: NDArray[np.integer], positions: Indices, generator: np.random.Generator
) -> Indices:
    """Positions in an order in which classes alternate."""
    chosen = labels[positions]
    rank = np.empty(len(positions), np.int64)
    for label in np.unique(chosen):
        members = np.flatnonzero(chosen == label)
        rank[generator.permutation(members)] = np.arange(members.size)
    return positions[np.lexsort((chosen, rank))]


def held_out_of(sizes: Indices, fraction: float, generator: np.random.Generator) -> Indices:
    """How many images of each class are held out: the share of all, by largest remainders.

    Every class of at least two images is in both parts. Where the share has fewer images than there
    are such classes, those with the largest claims give one each; of equal ones chance decides.

    Args:
        sizes: (classes,) images of each.
        fraction: of all images that is held out.
        generator: decides ties.
    """
    claims = sizes * fraction
    most = np.maximum(sizes - 1, 0)
    total = min(round(float(sizes.sum()) * fraction), int(most.sum()))
    least = np.minimum(most, 1)
    if total < int(least.sum()):
        most, least = least, np.zeros_like(least)
    given: Indices = np.clip(np.floor(claims).astype(np.int64), least, most)
    ties = generator.random(len(sizes))
    while (missing := total - int(given.sum())) != 0:
        step = 1 if missing > 0 else -1
        movable = np.flatnonzero(given < most if missing > 0 else given > least)
        order = np.lexsort((ties[movable], -step * (claims - given)[movable]))
        given[movable[order[: abs(missing)]]] += step
    return given


def _check(split: Split, images: int, fraction: float, field: str) -> None:
    share = field.rpartition(".")[2]
    found = f"{images} images with {share} {fraction}"
    held_out = share.removesuffix("_fraction")
    problems: list[Problem] = []
    for name, part, least in (("train", split.train, 2), (held_out, split.validation, 1)):
        if part.size < least:
            message = f"{found} leave {part.size} for {name}; at least {least} needed"
            problems.append(Problem(field, message))
    refuse(problems)
