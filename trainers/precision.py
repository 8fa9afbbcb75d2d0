"""Mixed precision, where the protocol and the device want it."""

import torch

from trainers.protocol import Protocol


def autocast(protocol: Protocol, device: torch.device) -> torch.autocast:
    """A context for the forward pass: bfloat16 on a GPU by "auto", never on a CPU unless asked.

    bfloat16 convolutions are about a hundred times slower than float32 on CPUs without AMX.
    bfloat16 has the exponents of float32, so the loss needs no scaling.
    """
    wanted = protocol.precision
    enabled = wanted == "bfloat16" or (wanted == "auto" and device.type == "cuda")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
