"""What a person asks of a transfer, and what of it can be read before anything is trained."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from search.config.overrides import Override, apply_overrides
from search.runner.preflight import Problems
from space.errors import InputError, Problem, refuse
from space.input.paths import ROOM, is_folder, is_there, shown_path, written_path
from space.input.plain_files import read_yaml
from space.input.shipped import file_or_shipped
from space.surface import surface
from trainers.transfer.data import Task, TransferDataConfig
from trainers.transfer.recipe import Recipe, of_new_length, read_recipe


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as a person writes it.

    Attributes:
        task: "detection" or "segmentation".
        subjects: beginnings of ids, and exported folders.
        top, study: the best so many of a study, in place of ids.
        data: the folder. recipe: a file, or the name of one that comes with mixspace.
        overrides: changes of fields, such as "recipe.epochs=2" and "data.limit_train=100".
        frozen: whether the backbone stays as it is.
        from_scratch: whether it begins with random weights.
        seeds: how often each is trained, with the seeds 0, 1 and so on.
        to: the folder that has a folder for each training.
        device: None takes the GPU where there is one, else the CPU.
    """

    task: str
    subjects: tuple[str, ...]
    data: str
    recipe: str
    top: int | None = None
    study: str | None = None
    overrides: tuple[str | Override, ...] = ()
    frozen: bool = False
    from_scratch: bool = False
    seeds: int = 1
    to: str = "transfers"
    device: str | None = None


def place_of(to: str) -> Path:
    """The folder that results go into.

    Raises:
        InputError: it is no path, or a file.
    """
    where = surface().field("to")
    try:
        place = written_path(to, ROOM)
    except ValueError as error:
        raise InputError.of(where, str(error)) from None
    if is_there(place) and not is_folder(place):
        raise InputError.of(where, f"{shown_path(str(place))} is a file; results go into a folder")
    return place


def recipe_and_data(wanted: Wanted) -> tuple[Recipe, TransferDataConfig]:
    """Both, as files and changes have them.

    Raises:
        InputError: with what is wrong with either.
    """
    task = _task(wanted)
    where = surface().field("recipe")
    written = read_yaml(file_or_shipped(_path_of(wanted.recipe, where), "recipe", where))
    if not isinstance(written, dict):
        raise InputError.of(where, f"{wanted.recipe} holds no recipe, which is a mapping of fields")
    values: dict[str, Any] = {"recipe": {"task": task} | written, "data": {"folder": wanted.data}}
    before = values["recipe"]
    values = apply_overrides(values, wanted.overrides, dict)
    _refuse_other_sections(values)
    problems = Problems()
    recipe = problems.attempt(partial(read_recipe, _changed(before, values["recipe"], wanted)))
    config = problems.attempt(partial(TransferDataConfig.from_dict, values["data"]))
    if recipe is not None:
        problems.attempt(partial(_refuse_other_task, wanted, recipe, where))
    if config is not None:
        problems.attempt(partial(config.refuse_other_tasks, task))
        problems.attempt(partial(_refuse_no_folder, config.folder))
    problems.refuse()
    assert recipe is not None
    assert config is not None
    return recipe, config


def _changed(before: dict[str, Any], after: Any, wanted: Wanted) -> Any:
    """The recipe, with the rest of its schedule as the changes ask for."""
    if not isinstance(after, dict):
        return after
    written = [each if isinstance(each, str) else each.written for each in wanted.overrides]
    names = {re.split(r"[.=\[]", each.removeprefix("recipe."))[0].strip() for each in written}
    return of_new_length(before, after, names)


def _task(wanted: Wanted) -> Task:
    for task in get_args(Task):
        if wanted.task == task:
            found: Task = task
            return found
    allowed = ", ".join(get_args(Task))
    raise InputError.of(surface().field("task"), f"{wanted.task!r} is not one of {allowed}")


def _refuse_other_task(wanted: Wanted, recipe: Recipe, where: str) -> None:
    if recipe.task != wanted.task:
        message = f"{wanted.recipe} is for {recipe.task}, and the task is {wanted.task}"
        raise InputError.of(where, message)


def _path_of(text: str, where: str) -> Path:
    try:
        return written_path(text)
    except ValueError as error:
        raise InputError.of(where, str(error)) from None


def _refuse_other_sections(values: Mapping[str, Any]) -> None:
    refuse(
        Problem(surface().field("set"), f"{name} is not allowed; recipe.FIELD and data.FIELD are")
        for name in values
        if name not in ("recipe", "data")
    )


def _refuse_no_folder(folder: Path) -> None:
    if not is_folder(folder):
        message = f"there is no folder {shown_path(str(folder))}"
        raise InputError.of(surface().field("data"), message)
