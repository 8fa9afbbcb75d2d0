"""`export`: a trained network of a store as a folder that people ship."""

import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from mixspace.arguments import (
    FLAG,
    ID_OR_NONE,
    NAME_OR_NONE,
    NUMBER_OR_NONE,
    PARTS,
    STORE,
    refuse_wrong_types,
)
from search.next_steps import DEFAULT_STORE, STORE_VARIABLE

if TYPE_CHECKING:
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

    given = os.environ.get(STORE_VARIABLE) or DEFAULT_STORE if store is None else store
    return hand_over(
        os.fspath(given),
        architecture_id,
        to,
        study=study,
        trial=trial,
        without=without,
        force=force,
    )
