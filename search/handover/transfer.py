"""The one call behind `search transfer`: trained networks as backbones of other tasks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.handover.transfer_request import Wanted, place_of, recipe_and_data
from search.handover.transfer_sources import sources_of
from search.runner.final_test import device_of
from search.runner.preflight import Problems
from space import Architecture
from space.errors import InputError, Problem
from space.input.paths import is_there
from trainers.transfer.data import open_data
from trainers.transfer.recipe import Recipe

if TYPE_CHECKING:
    from trainers.transfer.data import TransferData
    from trainers.transfer.source import BackboneSource
    from trainers.transfer.state import Progress
    from trainers.transfer.transferring import Transfer

Say = Callable[[str], None]
Report = Callable[["Progress", int, float], None]


@dataclass(frozen=True, slots=True)
class Transferred:
    """One training that is finished.

    Attributes:
        folder: with result.json and model.safetensors. result: the content of the first.
        earlier: whether it was finished before this call.
    """

    folder: Path
    result: Mapping[str, Any]
    earlier: bool


def transfer(
    store: str,
    wanted: Wanted,
    *,
    say: Say = lambda text: None,
    report: Report = lambda progress, steps, loss: None,
) -> Iterator[Transferred]:
    """Train trained networks as backbones, one after the other; each goes on where it broke off.

    Args:
        store: its URL; it is only read, and not at all for exported folders.
        wanted: what is asked for.
        say: told what is being done. report: told of every step.

    Yields:
        each training, once it is finished.

    Raises:
        InputError: before anything is trained, with all reasons why it cannot be done.
        NonFiniteLoss, UnreadableData, TransferFailed: as of `trainers.transfer`.
        StoreError: the store failed.
    """
    from trainers.transfer.result import RESULT
    from trainers.transfer.transferring import run_transfer

    plans, device = prepared(store, wanted, say)
    for folder, asked in plans:
        earlier = is_there(folder / RESULT)
        if not earlier:
            say(f"{asked.source.origin}, seed {asked.seed}, into {folder}")
        result = run_transfer(asked, folder, device=device, say=say, report=report)
        yield Transferred(folder, result, earlier)


def prepared(store: str, wanted: Wanted, say: Say) -> tuple[list[tuple[Path, "Transfer"]], Any]:
    """Every training with its folder, and the device: all is checked, and nothing is written.

    Raises:
        InputError: with all reasons why something cannot be done.
    """
    problems = Problems()
    place = problems.attempt(partial(place_of, wanted.to))
    device = problems.attempt(partial(device_of, wanted.device))
    read = problems.attempt(partial(recipe_and_data, wanted))
    sources = problems.attempt(partial(sources_of, store, wanted))
    if read is not None and sources is not None:
        for source in sources:
            problems.attempt(partial(_refuse_model, source.architecture, read[0]))
    problems.refuse()
    assert place is not None
    assert read is not None
    assert sources is not None
    recipe, config = read
    data = open_data(config, recipe.task, say=say)
    plans = list(_plans(place, wanted, sources, recipe, data))
    problems.attempt(partial(_refuse_one_place, plans))
    for folder, asked in plans:
        problems.attempt(partial(_refuse_training, folder, asked))
    problems.refuse()
    return plans, device


def _refuse_model(architecture: Architecture, recipe: Recipe) -> None:
    from trainers.transfer.model import refuse_model

    try:
        refuse_model(architecture, recipe)
    except InputError as error:
        named = f"{architecture.id} is no backbone here: "
        raise InputError(Problem(p.where, named + p.message) for p in error.problems) from None


def _refuse_one_place(plans: Sequence[tuple[Path, "Transfer"]]) -> None:
    """Refuse networks of one architecture with different weights, whose folder is one."""
    taken: dict[Path, Transfer] = {}
    for folder, asked in plans:
        other = taken.setdefault(folder, asked)
        if other.identity != asked.identity:
            message = f"{other.source.origin} and {asked.source.origin} are one architecture, and "
            raise InputError.of("architectures", message + "would go into one folder; name one")


def _refuse_training(folder: Path, asked: "Transfer") -> None:
    """Refuse what an opened training cannot do, and folders with something else in them."""
    from trainers.checkpoint import load_checkpoint
    from trainers.transfer.result import CHECKPOINT, finished

    asked.refuse()
    if finished(folder, asked.identity) is None and is_there(folder / CHECKPOINT):
        load_checkpoint(folder / CHECKPOINT, asked.identity)


def _plans(
    place: Path,
    wanted: Wanted,
    sources: Sequence["BackboneSource"],
    recipe: Recipe,
    data: "TransferData",
) -> Iterator[tuple[Path, "Transfer"]]:
    """A folder for each training, named after what sets trainings of one place apart."""
    from trainers.transfer.transferring import Transfer

    marks = [*(["frozen"] if wanted.frozen else []), *(["scratch"] if wanted.from_scratch else [])]
    for source in sources:
        for seed in range(wanted.seeds):
            name = "-".join([source.architecture.id, Path(wanted.recipe).stem, *marks])
            asked = Transfer(source, recipe, data, seed, wanted.frozen)
            yield place / f"{name}-seed{seed}", asked


def summary(transferred: Sequence[Transferred]) -> list[dict[str, Any]]:
    """Results as plain values, without what is long and stands in their folders."""
    told = ["task", "model", "metrics", "identity", "seed", "train_images", "validation_images"]
    told += ["classes", "backbone", "params", "trained_params", "steps", "skipped_steps", "seconds"]
    return [
        {"folder": str(each.folder), "earlier": each.earlier}
        | {name: each.result[name] for name in told}
        for each in transferred
    ]
