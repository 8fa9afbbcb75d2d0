"""The network as an ONNX model, compared with it in ONNX Runtime.

onnx, onnxscript and onnxruntime come with the extra mixspace[export].
"""

import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from space import Architecture
from trainers.export.parity import Parity, compared
from trainers.export.program_file import INPUT, OUTPUT

if TYPE_CHECKING:
    import onnx

NAME = "model.onnx"
OPSET = 20
ALLOWED = 1e-4
PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_LARGEST = 1_900_000_000
"""Bytes of weights within the file; more than 2 GB no protobuf holds, and they lie beside it."""


def missing_packages() -> list[str]:
    """What of the extra is not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def write_onnx(
    path: Path,
    program: ExportedProgram,
    network: nn.Module,
    architecture: Architecture,
    classes: Sequence[str],
) -> Parity:
    """Write the model of a program; "images" (batch, …) to "logits" (batch, classes), batch free.

    Raises:
        NotEqual: ONNX Runtime computes something else from it.
    """
    import onnx

    with _quietly(), torch.no_grad():
        made = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            verbose=False,
            external_data=False,
        )
    assert made is not None
    model = made.model_proto
    _forget_sources(model)
    onnx.helper.set_model_props(
        model, {"architecture": architecture.id, "classes": json.dumps(list(classes))}
    )
    size = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    beside = size > _LARGEST
    onnx.save_model(
        model, path, save_as_external_data=beside, location=f"{NAME}.data" if beside else None
    )
    onnx.checker.check_model(str(path))
    return compared(NAME, network, _Runtime(path), architecture, ALLOWED)


class _Runtime:
    """A model in ONNX Runtime, on the CPU."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, images: Tensor) -> Tensor:
        (logits,) = self._session.run([OUTPUT], {INPUT: images.numpy()})
        return torch.from_numpy(logits)


def _forget_sources(model: "onnx.ModelProto") -> None:
    """Take out where in the code of this machine each node came from; half of a small file."""
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporter tells developers of torch what it does; of ours nobody asked for that."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
