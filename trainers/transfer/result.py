"""The folder of a transfer: what came of it, the weights, and while it trains the checkpoint."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from space import Architecture
from space.errors import InputError
from space.input.paths import is_there, shown_path
from trainers.export.text_files import read_json
from trainers.export.weights_file import read_weights, write_weights
from trainers.transfer.model import make_model
from trainers.transfer.recipe import read_recipe
from trainers.transfer.source import BackboneSource

RESULT, WEIGHTS, CHECKPOINT = "result.json", "model.safetensors", "checkpoint.safetensors"
FORMAT = "mixspace transfer 1"


def finished(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an earlier, finished transfer into a folder came to; None where there is none.

    Args:
        folder: of one transfer. identity: what is asked for now.

    Raises:
        InputError: it holds the result of another transfer, or a damaged one.
    """
    if not is_there(folder / RESULT):
        return None
    found = dict(read_json(folder / RESULT))
    told = found.get("identity")
    if found.get("format") != FORMAT or not isinstance(told, dict):
        raise InputError.of("to", f"{shown_path(str(folder / RESULT))} is no result of a transfer")
    for name, value in identity.items():
        if told.get(name) != value:
            message = f"{shown_path(str(folder))} holds the result for {name} {told.get(name)}, "
            raise InputError.of("to", message + f"not {value}; name another folder")
    return found


def write_result(
    folder: Path, model: nn.Module, architecture: Architecture, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights, then the result; the checkpoint goes once both are there whole.

    Returns:
        What was written as the result.
    """
    content = {"format": FORMAT, **result}
    _whole(folder / WEIGHTS, lambda path: write_weights(path, model.cpu(), architecture))
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    _whole(folder / RESULT, lambda path: path.write_text(text, "utf-8"))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return content


def load_transferred(folder: Path | str) -> nn.Module:
    """The model of a finished transfer, on the CPU and in evaluation mode.

    It is built from result.json and model.safetensors: nothing is executed or unpickled. Of images
    from 0 to 1 a model of detection makes boxes, labels, scores and masks, in a list as it takes
    them; one of segmentation makes logits (B, classes, height, width) of (B, 3, height, width).

    Args:
        folder: of one transfer. Its result.json names the classes; of detection 1 is the first.

    Raises:
        InputError: a file is missing or damaged, or of another model.
        OSError: the operating system does not let one be read.
    """
    place = Path(folder)
    found = read_json(place / RESULT)
    try:
        architecture = Architecture.from_dict(found["architecture"])
        recipe = read_recipe(found["recipe"])
        backbone, classes = found["backbone"], len(found["classes"])
        mean, std = (tuple(map(float, backbone[name])) for name in ("mean", "std"))
        masks, frozen = bool(found["masks"]), bool(backbone["frozen"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError.of(RESULT, f"{place / RESULT} is damaged ({error})") from None
    source = BackboneSource(architecture, None, mean, std, "a transfer")
    model = make_model(source, recipe, classes, frozen=frozen, masks=masks)
    read_weights(place / WEIGHTS, architecture, model)
    return model.eval()


def _whole(path: Path, write: Any) -> None:
    """A file that is there whole, or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
