"""One thread for every test of trainers, as a trial has it; two test workers share two cores."""

import pytest


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)
