"""Times ways of computing the same beside each other: in turns, with medians and quartiles."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

import torch


@dataclass(frozen=True)
class Milliseconds:
    """Times of one way.

    Attributes:
        median, low, high: the middle, and the quartiles.
        n: how often it ran.
    """

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: list[float]) -> "Milliseconds":
        """Of at least one time."""
        several = len(values) > 1
        low, _, high = quantiles(values, n=4, method="inclusive") if several else 3 * values
        return cls(median(values), low, high, len(values))


def synchronise(device: torch.device) -> None:
    """Waits for what a device has been given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(
    ways: Mapping[str, Callable[[], object]], device: torch.device, rounds: int, seconds: float
) -> dict[str, Milliseconds]:
    """Each way once in each round, so that what disturbs the machine disturbs all alike.

    Their order changes from round to round: what one leaves in the caches is not always the same
    other's.

    Args:
        ways: what to run, by name.
        device: which is waited for before and after each.
        rounds: the least number, after one that is not counted.
        seconds: no further round begins after so long.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    chance, order = random.Random(0), list(ways.items())
    begun = time.perf_counter()
    done = -1
    while done < rounds or (done < 10 * rounds and time.perf_counter() - begun < seconds):
        chance.shuffle(order)
        for name, run in order:
            synchronise(device)
            start = time.perf_counter()
            run()
            synchronise(device)
            if done >= 0:
                found[name].append(1000 * (time.perf_counter() - start))
        done += 1
    return {name: Milliseconds.of(values) for name, values in found.items()}
