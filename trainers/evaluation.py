"""The final test of a finished architecture: the one place where test images are read."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from space import Architecture
from trainers.checkpoint import check_tensors, load_checkpoint
from trainers.data.config import DataConfig, parse_data_config
from trainers.data.describe import describe_data
from trainers.data.test_split import Record, open_test_split
from trainers.data.test_split_lock import refuse_if_locked
from trainers.loop import Build, build_network
from trainers.placement import place
from trainers.protocol import Protocol
from trainers.scoring import score


def final_test(
    architecture: Architecture,
    checkpoint: Path | str,
    protocol: Protocol,
    data_config: DataConfig | Mapping[str, Any],
    record: Record,
    *,
    device: torch.device | str = "cpu",
    build: Build = build_network,
) -> float:
    """Share of the test images that the trained architecture classifies rightly, 0 to 1.

    Args:
        checkpoint: file of the finished training of this architecture under this protocol.
        record: called with a TestReading before the images are read, and with its completed form
            (same id, with the accuracy) afterwards.

    Raises:
        TestSplitLocked: while a search is running.
        InputError: if the checkpoint is corrupt or of something else, or the data are missing.
    """
    refuse_if_locked()
    path = Path(checkpoint)
    config = parse_data_config(data_config)
    bound = describe_data(config, protocol).protocol
    expected = {"architecture": architecture.id, "protocol": bound.hash, "epoch": bound.epochs}
    weights = load_checkpoint(path, expected).part("model")
    model = build(architecture, 0.0)
    check_tensors(path, weights, model.state_dict(), "network")
    model.load_state_dict(weights)
    target = torch.device(device)
    model = place(model, target)
    test = open_test_split(config, bound, architecture_id=architecture.id, record=record)
    accuracy = score(model, test.batches(target), bound, target)[1]
    record(replace(test.reading, accuracy=accuracy))
    return accuracy
