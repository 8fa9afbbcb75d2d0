"""Networks that are not fresh, with their checkpoints, to be exported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from space import Architecture, InputError
from space.networks import build
from tests.trainers.tiny import architecture, short_protocol
from trainers import Protocol
from trainers.checkpoint import Checkpoint, save_checkpoint
from trainers.export import Facts, Figure, Preprocessing, Spent, Trained, export_network

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
PREPROCESSING = Preprocessing.of(architecture(), short_protocol(), (0.286,), (0.353,))
NO_PROGRAMS = ("onnx", "pt2")


def used(architecture: Architecture, seed: int = 0) -> nn.Module:
    """A network whose every part has a say: no zero biases, no norms at rest, no tiny logits."""
    network = build(architecture, weight_init="lecun", seed=seed)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2, generator=chance)
            elif tensor.dim() == 1:
                tensor.add_(torch.randn(tensor.shape, generator=chance), alpha=0.3)
        logits = network.head.classify
        logits.weight.mul_(3)
    return network.eval()


def facts(protocol: Protocol, **changes: Any) -> Facts:
    told = Facts(
        origin="trial 3 of study first",
        protocol=protocol,
        protocol_hash=protocol.hash,
        epochs=4,
        seconds=3.2,
        seeds={"initialisation": 3, "data_order": 4},
        data={"name": protocol.data},
        train_images=192,
        validation_images=100,
        figures=(
            Figure("validation", "search in study first", 0.5213, chance=0.1, these_weights=True),
        ),
        spent=(Spent("the search, study first", 4, 7200.0, "GPU", 0.5, ("H200",)),),
        commands=("python -m search run search.yaml --study first",),
        code_version="0.1.0+g12345678",
        exported_by="0.1.0+g87654321",
        configurations={"search.yaml": {"study": "first", "trials": 4}},
    )
    return replace(told, **changes)


def trained(
    folder: Path, of: Architecture | None = None, protocol: Protocol | None = None, **changes: Any
) -> Trained:
    """A checkpoint in a folder, as whoever keeps it would hand it over."""
    of = architecture() if of is None else of
    protocol = short_protocol() if protocol is None else protocol
    state = {"architecture": of.id, "protocol": protocol.hash, "epoch": protocol.epochs}
    tensors = {f"model.{name}": value for name, value in used(of).state_dict().items()}
    path = folder / "checkpoint.safetensors"
    save_checkpoint(path, Checkpoint(tensors, state))
    told = Trained(of, path, state, CLASSES, PREPROCESSING, facts(protocol))
    return replace(told, **changes)


def names(folder: Path) -> set[str]:
    """Of what lies in a folder."""
    return {path.name for path in folder.iterdir()}


def refused(given: Any, folder: Path, **options: Any) -> str:
    """What is said; nothing is written, neither there nor beside it."""
    before = sorted(str(path) for path in folder.rglob("*"))
    with pytest.raises(InputError) as caught:
        export_network(given, folder / "to", **{"without": NO_PROGRAMS} | options)
    assert sorted(str(path) for path in folder.rglob("*")) == before
    return str(caught.value)


def breaks(error: BaseException) -> Callable[..., Any]:
    """In the place of a function that must not succeed."""

    def broken(*_: object, **__: object) -> Any:
        raise error

    return broken
