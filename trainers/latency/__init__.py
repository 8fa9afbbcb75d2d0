"""Latency: how long one pass of a network takes on a named device, truly measured.

A `spec` says how, `device` on what; `measuring` measures several things in turns and gives a
`figure` each, whatever runs them (`runtimes`). Networks are predicted from the latencies of their
`parts`, kept in a `part_table`, by a `predictor` whose error is that on whole networks it has not
seen. A `meter` is a process that measures.

Importing it never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.latency.device import DeviceIdentity, cautions, refuse_missing, setting_id
from trainers.latency.figure import Latency, Run
from trainers.latency.measuring import Effort, measure_in_turns
from trainers.latency.meter import Measures, MeterProcess, NotMeasured
from trainers.latency.part_table import PartTable
from trainers.latency.parts import Part, parts_of, parts_of_space
from trainers.latency.predictor import PredictionError, Predictor
from trainers.latency.spec import LatencySpec

if TYPE_CHECKING:
    from trainers.latency.in_process import measure

__all__ = [
    "DeviceIdentity",
    "Effort",
    "Latency",
    "LatencySpec",
    "Measures",
    "MeterProcess",
    "NotMeasured",
    "Part",
    "PartTable",
    "PredictionError",
    "Predictor",
    "Run",
    "cautions",
    "measure",
    "measure_in_turns",
    "parts_of",
    "parts_of_space",
    "refuse_missing",
    "setting_id",
]


def __getattr__(name: str) -> Any:
    if name == "measure":  # it needs torch
        return import_module("trainers.latency.in_process").measure
    raise AttributeError(f"module 'trainers.latency' has no attribute {name!r}")
