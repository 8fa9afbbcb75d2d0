"""Opens the data of a search."""

from collections.abc import Mapping
from typing import Any

from trainers.data.config import DataConfig, parse_data_config
from trainers.data.describe import locate_data
from trainers.data.fashion_mnist import MEAN, STD, LabelledImages
from trainers.data.image_folder import FolderData
from trainers.data.inspected import Inspected
from trainers.data.resident import ResidentData
from trainers.data.search_data import SearchData
from trainers.protocol import Protocol


def open_data(
    config: DataConfig | Mapping[str, Any], protocol: Protocol, inspected: Inspected | None = None
) -> SearchData:
    """Open training and validation images; test images are neither loaded nor reachable.

    Args:
        inspected: of the driver that has read all files; then only the listing is compared.

    Raises:
        InputError: as `describe_data` does.
    """
    parsed = parse_data_config(config)
    located = locate_data(parsed, protocol, inspected=inspected)
    source, split = located.source, located.split
    if isinstance(source, LabelledImages):
        described = located.description
        return ResidentData(described, source.images, source.labels, split, MEAN, STD)
    return FolderData(located.description, source, split, parsed.workers)
