"""Counters of multiply-accumulates that run the network: fvcore and torch's FlopCounterMode."""

import importlib
import importlib.util
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from space import Architecture
from space.networks import build

Prepared = tuple[nn.Module, Tensor]

_PRODUCTS = ("conv", "linear", "matmul", "bmm", "addmm", "mm", "einsum")


@dataclass(frozen=True)
class PeerCounter:
    """A counter beside ours.

    Attributes:
        name: what it is.
        prepare: makes the network and its input; not timed.
        count: multiply-accumulates of what was prepared.
        note: how it runs.
        missing: why it cannot run here; empty if it can.
    """

    name: str
    prepare: Callable[[Architecture], Prepared]
    count: Callable[[Prepared], int]
    note: str = ""
    missing: str = ""


def _prepared(architecture: Architecture, device: str) -> Prepared:
    image = architecture.input
    with torch.device(device):
        images = torch.zeros(1, image.channels, image.height, image.width)
        return build(architecture).eval(), images


def _by_torch(prepared: Prepared) -> int:
    network, images = prepared
    with FlopCounterMode(display=False) as counter:
        network(images)
    return int(counter.get_total_flops()) // 2


def _by_fvcore(prepared: Prepared) -> int:
    for name in ("fvcore", "fvcore.nn.jit_analysis"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis_of: Any = importlib.import_module("fvcore.nn").FlopCountAnalysis
        analysis = analysis_of(*prepared).unsupported_ops_warnings(False)
        counted = analysis.uncalled_modules_warnings(False).by_operator()
    # It counts norms too, which the others do not.
    return round(float(sum(counted[name] for name in _PRODUCTS if name in counted)))


def peer_counters() -> list[PeerCounter]:
    """The counters beside ours, slowest first."""
    missing = "" if importlib.util.find_spec("fvcore") else "not installed; pip install fvcore"
    return [
        PeerCounter(
            "fvcore", lambda a: _prepared(a, "cpu"), _by_fvcore, "traced on the CPU", missing
        ),
        PeerCounter(
            "FlopCounterMode on meta", lambda a: _prepared(a, "meta"), _by_torch, "no arithmetic"
        ),
    ]
