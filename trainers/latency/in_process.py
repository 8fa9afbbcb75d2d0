"""Measures one module in this process, for people at a prompt."""

from dataclasses import replace

import torch
from torch import nn

from trainers.latency.device import identify
from trainers.latency.figure import Latency
from trainers.latency.measuring import NETWORK, Effort, measure_in_turns
from trainers.latency.runtimes import make_gauge, make_pass, set_threads
from trainers.latency.spec import LatencySpec


def measure(
    network: nn.Module, spec: LatencySpec, shape: tuple[int, ...], effort: Effort = NETWORK
) -> Latency:
    """The latency of a network in this process, which has the threads of the spec meanwhile.

    The network becomes one for inference, on the device and in the precision of the spec. What a
    search goes by is measured in a process of its own (`MeterProcess`).

    Args:
        network: (B, channels, height, width) images to anything.
        spec: how. shape: (channels, height, width) of one image. effort: how much is spent.

    Raises:
        InputError: what this machine cannot measure.
    """
    device = identify(spec)
    threads = torch.get_num_threads()
    set_threads(spec)
    try:
        timed = make_pass(network, (spec.batch, *shape), spec)
        (latency,) = measure_in_turns([timed], effort, gauge=make_gauge(spec))
    finally:
        torch.set_num_threads(threads)
    return replace(latency, device=device.to_dict(), spec=spec.to_dict())
