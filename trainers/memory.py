"""How much memory a training takes at its most: of its GPU, or of its process on a CPU."""

import contextlib
import resource
from pathlib import Path

import torch

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def forget_peak(device: torch.device) -> None:
    """Begin to look for a new peak.

    Where the kernel does not let a process reset that of its own (other systems than Linux, some
    containers), the peak stays that since the process began.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")


def peak_memory(device: torch.device) -> int:
    """The peak since `forget_peak`, in bytes.

    On a GPU it is what torch allocated there: weights, moments, activations and images. On a CPU
    it is the resident memory of the whole process, Python, libraries and images in memory included:
    what a machine must have for a trial, and no property of the network.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "VmHWM":
                return int(value.split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
