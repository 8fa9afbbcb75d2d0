"""Trainings by several processes of this machine, for the tests: `python -m` starts one of them."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tests.trainers.reference_training import build_double
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data
from trainers import Training
from trainers.processes import ALONE, Processes, join, leave, meeting_place

ATTENTION = {"locality": "global", "sharing": "channel", "dynamics": "attention", "heads": 2}
MIXED = {"crop_padding": 2, "mixup": 0.4, "cutmix": 1.0, "random_erasing": 0.5}

CASES: dict[str, dict[str, Any]] = {
    "layer norm": {"drop_path": 0.3, "ema_decay": 0.9, "augmentation": MIXED | {"repeats": 2}},
    "accumulation": {"accumulation": 2, "drop_path": 0.3, "augmentation": MIXED},
    "batch norm": {"clip_norm": 0.1},
    "parts": {"batch_norm_parts": 2},
}
"""What is trained, by name."""


def training(name: str, processes: Processes = ALONE, path: Path | None = None) -> Training:
    """In double precision, so that what differs is no rounding that AdamW has made large."""
    protocol = short_protocol(epochs=2, **CASES[name])
    is_attention = name in ("layer norm", "accumulation")
    mixer = {"kernel_size": None, "block_type": "prenorm", **ATTENTION} if is_attention else {}
    return Training(
        architecture(**mixer),
        protocol,
        small_data(protocol, limit_train=130, limit_validation=60),
        seeds=SEEDS,
        build=build_double,
        checkpoint_path=path,
        processes=processes,
    )


def train_together(folder: Path, paths: Mapping[str, str], size: int = 2) -> None:
    """Train each case in that many processes, its checkpoint in a file of the folder."""
    place = meeting_place("127.0.0.1")
    given = json.dumps([str(folder), dict(paths), place.port])
    command = [sys.executable, "-m", "tests.trainers.together"]
    started = [
        subprocess.Popen([*command, str(rank), str(size), given], stderr=subprocess.PIPE, text=True)
        for rank in range(size)
    ]
    told = [process.communicate(timeout=240)[1] for process in started]
    assert all(process.returncode == 0 for process in started), "\n".join(told)


def main() -> None:
    rank, size = int(sys.argv[1]), int(sys.argv[2])
    folder, paths, port = json.loads(sys.argv[3])
    torch.set_num_threads(1)
    processes = join(rank, size, meeting_place("127.0.0.1", port), "cpu")
    for file, name in paths.items():
        found = training(name, processes, Path(folder) / file)
        while not found.done:
            found.run_epoch()
            if file.startswith("broken"):  # everything is forgotten between two epochs
                found = training(name, processes, Path(folder) / file)
    leave()


if __name__ == "__main__":
    main()
