"""The two seeds of a trial, and code that runs under a seed without disturbing its surroundings."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seeds:
    """What is random in a trial.

    Attributes:
        initialisation: decides the first weights.
        data_order: decides the order of the images, augmentation, drop path and mixing.
    """

    initialisation: int = 0
    data_order: int = 0


def derive(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part; the same on every machine."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run a block with torch, NumPy and `random` seeded, and put their states back afterwards.

    timm's augmentation draws from all three global generators. The states of an epoch are a pure
    function of the seed, so nothing but the seed and the epoch is needed to repeat it.
    """
    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
