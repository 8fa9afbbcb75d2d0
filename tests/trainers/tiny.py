"""Small architectures, data and folders for the tests of trainers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from space import Architecture
from trainers import DataConfig, Protocol, SearchData, Seeds, Training, open_data
from trainers.data.data_kind import Part, find_kind

SEEDS = Seeds(initialisation=3, data_order=4)
DATA: dict[str, Any] = {"limit_train": 192, "limit_validation": 100}
SHORT: dict[str, Any] = {"epochs": 4, "batch_size": 64, "warmup_epochs": 1}


def architecture(
    channels: int = 1, size: int = 28, classes: int = 10, block_type: str = "conv", **mixer: Any
) -> Architecture:
    """Two narrow stages; depth-wise 3×3 unless told otherwise."""
    chosen = {
        "locality": "sliding",
        "channels": "separable",
        "rank": "full",
        "sharing": "position",
        "dynamics": "static",
        "kernel_size": 3,
    } | mixer
    stage = {"depth": 1, "mlp_ratio": 2, "mixers": [chosen]}
    return Architecture.from_dict(
        {
            "version": 1,
            "input": {"channels": channels, "height": size, "width": size},
            "stem": {"patch_size": 4},
            "block_type": block_type,
            "stages": [{**stage, "width": 8}, {**stage, "width": 16}],
            "head": {"classes": classes},
        }
    )


def short_protocol(**changes: Any) -> Protocol:
    return Protocol.from_dict(SHORT | changes)


def small_data(protocol: Protocol, **changes: Any) -> SearchData:
    return open_data(DATA | changes, protocol)


def training(checkpoint_path: Path | None = None, **changes: Any) -> Training:
    protocol = short_protocol(**changes)
    return Training(
        architecture(),
        protocol,
        small_data(protocol),
        seeds=SEEDS,
        checkpoint_path=checkpoint_path,
    )


def image_folder(root: Path, train: int = 12, val: int = 4, size: int = 40) -> Path:
    """An ImageNet-style folder: three classes that differ in colour, PNG files."""
    generator = np.random.default_rng(0)
    colours = {"blue": (20, 40, 220), "green": (30, 210, 40), "red": (220, 30, 30)}
    for part, count in (("train", train), ("val", val)):
        for name, colour in colours.items():
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                noise = generator.integers(-20, 20, (size, size + number % 5, 3))
                pixels = np.clip(noise + colour, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:03}.png")
    return root


def pictures(config: Mapping[str, Any], part: Part = "train", **changes: Any) -> Any:
    """The index of the pictures of a search, or of the test part."""
    read = DataConfig.from_dict(config)
    inspected = changes.pop("inspected", None)
    protocol = Protocol.from_dict({"data": read.name} | changes)
    return find_kind(read, protocol).load(part, inspected=inspected)
