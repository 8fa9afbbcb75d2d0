"""Writes a trained network as a folder that people ship; what cannot be is refused before."""

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from space import Architecture
from space.errors import MixspaceError, Problem, all_of, refuse
from space.input.paths import shown_path
from space.networks import build
from space.surface import surface
from space.zoo.timm_architecture import timm_config
from trainers.checkpoint import load_weights
from trainers.export import class_names, infer_file, onnx_file, program_file, weights_file
from trainers.export.facts import Facts
from trainers.export.folder import checked_place, write_manifest, written_whole
from trainers.export.loading import ARCHITECTURE, PREPROCESSING
from trainers.export.model_card import NAME as CARD
from trainers.export.model_card import CardOfFolder, model_card
from trainers.export.parity import Parity
from trainers.export.preprocessing import Preprocessing
from trainers.export.standalone_file import NAME as STANDALONE
from trainers.export.standalone_file import source_of, write_standalone

PARTS = ("onnx", "pt2", "standalone")
"""What may be left out: model.onnx, model.pt2, and network.py with infer.py."""
INFER, CONFIG = "infer.py", "config.json"

Say = Callable[[str], None]


class ExportFailed(MixspaceError):
    """An export that began and could not be finished; nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network, as whoever keeps it hands it over.

    Attributes:
        architecture: of the network.
        checkpoint: file of its finished training.
        expected: entries that the checkpoint's state must have; see `load_checkpoint`.
        classes: names in the order of the logits.
        preprocessing: what its validation pictures undergo.
        facts: what is told of it.
    """

    architecture: Architecture
    checkpoint: Path
    expected: Mapping[str, Any]
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    facts: Facts


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        folder: where it lies. architecture_id: of the network.
        files: bytes by name. parities: what was compared with the network, by file.
        opset: of the ONNX model; None without one.
    """

    folder: Path
    architecture_id: str
    files: Mapping[str, int]
    parities: Mapping[str, Parity] = field(default_factory=dict)
    opset: int | None = None


def export_network(
    trained: Trained,
    to: os.PathLike[str] | str,
    *,
    without: Collection[str] = (),
    force: bool = False,
    say: Say = lambda text: None,
) -> Exported:
    """Write a folder with a trained network; it is there whole, or not at all.

    Args:
        trained: what is written.
        to: the folder: not there, empty, or with `force` an earlier export.
        without: parts of `PARTS` to leave out.
        force: replace an earlier export.
        say: told what is being done.

    Returns:
        What was written, and how far each file is from the network.

    Raises:
        InputError: before anything is written, with every reason why it cannot be done: the
            folder, a package that is missing, a mixer that cannot stand alone, a checkpoint that
            is gone, damaged or of another network, names of another number of classes.
        NotEqual: a file computes something else than the network.
        ExportFailed: the network cannot be traced, or the disk is full.
    """
    place = _checked(trained, to, without, force)
    network = _network_of(trained)
    try:
        with written_whole(place) as folder:
            parities = _write(folder, trained, network, without, say)
            told = _told(trained, parities)
            content = write_manifest(folder, told)
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"{shown_path(str(place))} cannot be written: {reason}; nothing of it is left"
        raise ExportFailed(message) from error
    files = {name: entry["bytes"] for name, entry in content["files"].items()}
    return Exported(place, trained.architecture.id, files, parities, told["opset"])


# --- before anything is written -------------------------------------------------------------------


def _checked(trained: Trained, to: object, without: Collection[str], force: bool) -> Path:
    """The place; all that is off is told at once."""
    names = class_names.refuse_other_number
    calls: list[Callable[[], Any]] = [
        partial(refuse, [*_unknown_parts(without), *_missing_packages(without)]),
        partial(checked_place, to, force=force),
        partial(names, trained.classes, trained.architecture, "classes"),
    ]
    if "standalone" not in without:
        calls.append(partial(source_of, trained.architecture))
    place: Path = all_of(calls)[1]
    return place


def _unknown_parts(without: Collection[str]) -> list[Problem]:
    allowed = ", ".join(PARTS)
    return [
        Problem(surface().field("without"), f"{part!r} is not allowed; allowed: {allowed}")
        for part in without
        if part not in PARTS
    ]


def _missing_packages(without: Collection[str]) -> list[Problem]:
    missing = [] if "onnx" in without else onnx_file.missing_packages()
    if not missing:
        return []
    message = (
        f"{onnx_file.NAME} needs {', '.join(missing)}, which the extra mixspace[export] brings; "
        f"install it, or leave the file out by {surface().given('without', 'onnx')}"
    )
    return [Problem("export", message)]


def _network_of(trained: Trained) -> nn.Module:
    network = build(trained.architecture, seed=0)  # drawn for nothing
    load_weights(network, trained.checkpoint, trained.expected)
    return network.eval()


# --- the files ------------------------------------------------------------------------------------


def _write(
    folder: Path, trained: Trained, network: nn.Module, without: Collection[str], say: Say
) -> dict[str, Parity]:
    architecture, facts = trained.architecture, trained.facts
    say(f"weights of {facts.origin}")
    weights_file.write_weights(folder / weights_file.NAME, network, architecture)
    _write_json(folder / ARCHITECTURE, architecture.to_dict())
    _write_json(folder / PREPROCESSING, trained.preprocessing.to_dict())
    class_names.write_classes(folder / class_names.NAME, trained.classes)
    _write_json(folder / CONFIG, _config(trained))
    parities: dict[str, Parity] = {}
    if "standalone" not in without:
        say(f"{STANDALONE}, compared with the network")
        parities[STANDALONE] = write_standalone(folder, network, architecture)
        shutil.copyfile(infer_file.__file__, folder / INFER)
    parities |= _write_programs(folder, trained, network, without, say)
    for name, values in facts.configurations.items():
        text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
        (folder / name).write_text(text, "utf-8")
    card = CardOfFolder(
        architecture,
        class_names.written(trained.classes),
        trained.preprocessing,
        parities,
        onnx_file.OPSET if onnx_file.NAME in parities else None,
        STANDALONE in parities,
    )
    (folder / CARD).write_text(model_card(card, facts), "utf-8")
    return parities


def _write_programs(
    folder: Path, trained: Trained, network: nn.Module, without: Collection[str], say: Say
) -> dict[str, Parity]:
    """The files for other runtimes, of one trace: torch.export, and ONNX."""
    found: dict[str, Parity] = {}
    architecture = trained.architecture
    program: torch.export.ExportedProgram | None = None
    if "pt2" not in without:
        say(f"{program_file.NAME}, compared with the network")
        path = folder / program_file.NAME
        with _told_if_untraceable(program_file.NAME, "pt2"):
            program = program_file.traced(network, architecture)
            parity = program_file.write_program(path, program, network, architecture)
        found[program_file.NAME] = parity
    if "onnx" not in without:
        say(f"{onnx_file.NAME}, compared with the network in ONNX Runtime")
        path, names = folder / onnx_file.NAME, class_names.written(trained.classes)
        with _told_if_untraceable(onnx_file.NAME, "onnx"):
            if program is None:
                program = program_file.traced(network, architecture)
            parity = onnx_file.write_onnx(path, program, network, architecture, names)
        found[onnx_file.NAME] = parity
    return found


@contextmanager
def _told_if_untraceable(name: str, part: str) -> Iterator[None]:
    """What tracers raise of a network that they cannot follow, such as one of custom mixers."""
    try:
        yield
    except MixspaceError:
        raise
    except (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)
        leave_out = surface().given("without", part)
        message = f"{name} cannot be made of this network ({why}); {leave_out} leaves it out"
        raise ExportFailed(message) from error


def _config(trained: Trained) -> dict[str, Any]:
    how = trained.preprocessing
    config = timm_config(
        trained.architecture,
        {
            "interpolation": how.interpolation,
            "crop_pct": how.crop_share,
            "crop_mode": "center",
            "mean": list(how.mean),
            "std": list(how.std),
        },
    )
    return config | {"label_names": list(class_names.written(trained.classes))}


def _told(trained: Trained, parities: Mapping[str, Parity]) -> dict[str, Any]:
    return {
        "architecture": trained.architecture.id,
        "origin": trained.facts.origin,
        "protocol": trained.facts.protocol_hash,
        "exported_by": trained.facts.exported_by,
        "opset": onnx_file.OPSET if onnx_file.NAME in parities else None,
        "parities": {name: asdict(parity) for name, parity in parities.items()},
    }


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")
