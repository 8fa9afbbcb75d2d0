"""Trained networks of a store handed over: as a folder that people ship, to other tasks."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mixspace.arguments import (
    COUNT,
    COUNT_OR_NONE,
    DEVICE,
    FIELDS,
    FLAG,
    ID_OR_NONE,
    IDS_OR_FOLDERS,
    NAME_OR_NONE,
    NUMBER_OR_NONE,
    PARTS,
    PATH,
    STORE,
    TEXT,
    refuse_wrong_types,
)
from mixspace.progress_bar import StepBar
from search.next_steps import DEFAULT_STORE, STORE_VARIABLE

if TYPE_CHECKING:
    import pandas as pd

    from search.handover.transfer import Transferred
    from trainers.export import Exported


def export(
    architecture_id: str | None,
    to: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] | None = None,
    study: str | None = None,
    trial: int | None = None,
    without: Collection[str] = (),
    force: bool = False,
) -> "Exported":
    """Write a folder with a trained network that others can use without mixspace.

    As `python -m search export` does: the weights, one Python file that builds the network with
    torch alone, infer.py, which classifies pictures, ONNX and torch.export, what timm reads, and a
    model card with all that the store knows. What was written is compared with the network.

        mixspace.export("1f0c", "shipped")
        network = mixspace.load("shipped")

    Args:
        architecture_id: or the beginning of it; None is the best one of the study.
        to: the folder: not there, empty, or with `force` an earlier export. It is there whole, or
            not at all.
        store: as of `mixspace.Study`.
        study, trial: which training, by the name of its study and its number there; None is the
            most accurate complete one, full trainings before those of a search.
        without: of "onnx" (model.onnx), "pt2" (model.pt2) and "standalone" (network.py, infer.py)
            what to leave out.
        force: replace an earlier export.

    Returns:
        What was written: `files` with their bytes, and in `parities` how far each is from the
        network.

    Raises:
        InputError: before anything is written, with every reason why it cannot be done: no such
            training, weights that are gone, damaged or of another network, a folder with other
            things in it, packages of mixspace[export] that are missing, mixers that cannot stand
            alone.
        NotEqual: a file computes something else than the network; nothing is left.
        ExportFailed: the network cannot be traced, or the disk is full; nothing is left.
        StoreError: the store failed.
    """
    refuse_wrong_types(
        architecture_id=(architecture_id, ID_OR_NONE),
        store=(store, STORE),
        study=(study, NAME_OR_NONE),
        trial=(trial, NUMBER_OR_NONE),
        without=(without, PARTS),
        force=(force, FLAG),
    )
    from search.handover import export as hand_over  # torch is heavy

    return hand_over(
        _store(store),
        architecture_id,
        to,
        study=study,
        trial=trial,
        without=without,
        force=force,
    )


def transfer(
    architectures: Sequence[str | os.PathLike[str]] = (),
    *,
    task: str,
    data: str | os.PathLike[str],
    recipe: str | os.PathLike[str],
    top: int | None = None,
    study: str | None = None,
    store: str | os.PathLike[str] | None = None,
    frozen: bool = False,
    from_scratch: bool = False,
    seeds: int = 1,
    to: str | os.PathLike[str] = "transfers",
    device: str | None = None,
    progress: bool = True,
    changes: Mapping[str, Any] | None = None,
) -> "pd.DataFrame":
    """Train trained networks as backbones of detection or segmentation, and judge them there.

    As `python -m search transfer` does; the same call again goes on where it was interrupted.

        mixspace.transfer(["3f2a"], task="detection", data="coco", recipe="coco-mask-rcnn")
        mixspace.transfer(
            top=3, study="mine", task="segmentation", data="ade20k", recipe="ade20k-upernet",
            changes={"recipe": {"iterations": 1000}}, seeds=3,
        )

    Args:
        architectures: beginnings of ids, and folders that `export` wrote; or
        top, study: the best so many of a study.
        task: "detection" or "segmentation".
        data: the folder: of COCO's shape for detection, of ADE20K's for segmentation.
        recipe: the name of one that comes with mixspace, or a YAML file.
        store: as of `mixspace.Study`; not read for exported folders.
        frozen: train only what is new; the network stays as it is.
        from_scratch: begin with random weights, to compare with trained ones.
        seeds: how often each is trained.
        to: the folder that gets a folder for each training, with result.json and the weights.
        device: such as "cuda:1"; None takes the GPU where there is one, else the CPU.
        progress: whether what is being done is said on stderr, with a bar of steps.
        changes: fields of the recipe and of the data that shall be others.

    Returns:
        A row for each training: its architecture, seed, folder, metrics (0 to 1), params and
        seconds, where its weights came from, and whether it was finished before this call.

    Raises:
        InputError: before anything is trained, with all reasons why it cannot be done.
        NonFiniteLoss, UnreadableData: of a training; what was finished stays.
        StoreError: the store failed.
    """
    refuse_wrong_types(
        architectures=(architectures, IDS_OR_FOLDERS),
        task=(task, TEXT),
        data=(data, PATH),
        recipe=(recipe, PATH),
        study=(study, NAME_OR_NONE),
        store=(store, STORE),
        frozen=(frozen, FLAG),
        from_scratch=(from_scratch, FLAG),
        seeds=(seeds, COUNT),
        top=(top, COUNT_OR_NONE),
        changes=(changes, FIELDS),
        to=(to, PATH),
        device=(device, DEVICE),
        progress=(progress, FLAG),
    )
    from search.config.overrides import overrides_of
    from search.handover.transfer import transfer as train  # torch is heavy
    from search.handover.transfer_request import Wanted

    wanted = Wanted(
        task,
        tuple(os.fspath(each) for each in architectures),
        os.fspath(data),
        os.fspath(recipe),
        top=top,
        study=study,
        overrides=tuple(overrides_of(changes or {})),
        frozen=frozen,
        from_scratch=from_scratch,
        seeds=seeds,
        to=os.fspath(to),
        device=device,
    )
    with StepBar(progress) as bar:
        return _table(train(_store(store), wanted, say=bar.say, report=bar.report))


def _table(transferred: Iterable["Transferred"]) -> "pd.DataFrame":
    """A row for each of them, as it ends."""
    import pandas as pd

    rows = []
    for each in transferred:
        result = each.result
        backbone = {"weights": result["backbone"]["origin"], "params": result["params"]}
        identity = {"architecture_id": result["identity"]["architecture"], "seed": result["seed"]}
        took = {"seconds": result["seconds"], "folder": str(each.folder), "earlier": each.earlier}
        rows.append(identity | result["metrics"] | backbone | took)
    return pd.DataFrame(rows)


def _store(given: str | os.PathLike[str] | None) -> str:
    """The URL of a store, as of `mixspace.Study`."""
    found = os.environ.get(STORE_VARIABLE) or DEFAULT_STORE if given is None else given
    return os.fspath(found)
