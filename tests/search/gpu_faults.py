"""Trainings that meet faults of a real GPU, for tests where there is one."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import torch

from tests.search.faults import FakeTraining, write_pid

_HOLDER = """
import sys, torch
free, total = torch.cuda.mem_get_info()
held = torch.empty(int(free * 0.6), dtype=torch.uint8, device="cuda")
print("held", flush=True)
sys.stdin.read()
"""


_holders: list["subprocess.Popen[bytes]"] = []


def by_number(config: Mapping[str, Any]) -> FakeTraining:
    """Each of the first trials has its own fault, and the others use the GPU.

    The second one finds its memory held by another process, at its first attempt.
    """
    first = write_pid(config)
    number = config["number"]
    if number == 1 and first:
        return FakeTraining(allocate_while_another_holds)
    release()
    faults = {0: allocate_too_much, 2: index_out_of_range}
    return FakeTraining(faults.get(number, use))


def use() -> None:
    assert torch.ones(8, device="cuda").sum().item() == 8


def allocate_too_much() -> None:
    torch.empty(2**50, dtype=torch.uint8, device="cuda")


def index_out_of_range() -> None:
    torch.zeros(4, device="cuda")[torch.tensor([1000], device="cuda")].sum().item()


def allocate_while_another_holds() -> None:
    """The other holds it until the next training begins here: who is to blame is looked up."""
    use()
    command = [sys.executable, "-c", _HOLDER]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _holders.append(holder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    _, total = torch.cuda.mem_get_info()
    torch.empty(int(total * 0.8), dtype=torch.uint8, device="cuda")


def release() -> None:
    while _holders:
        holder = _holders.pop()
        holder.kill()
        holder.communicate()
