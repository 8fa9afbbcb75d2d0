"""The libraries of the extra mixspace[transfer], loaded where they are first needed.

They are asked for by name before any data are read, so that a missing one costs nobody an hour.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from space.errors import InputError

PACKAGES = {"pycocotools": "pycocotools", "torchmetrics": "torchmetrics"}
"""What each is called when it is imported, and when it is installed."""


def require(*modules: str) -> None:
    """Refuse to go on without some of them.

    Raises:
        InputError: naming each that is not installed, and what installs it.
    """
    missing = [PACKAGES[name] for name in modules if find_spec(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        message = f"{' and '.join(missing)} {verb} not installed: pip install mixspace[transfer]"
        raise InputError.of("", message)


def coco_masks() -> Any:
    """pycocotools' run lengths of masks: `frPyObjects`, `merge`, `decode`, `encode`, `area`."""
    return import_module("pycocotools.mask")


def coco_api() -> Any:
    """pycocotools' index of annotations, the class `COCO`."""
    return import_module("pycocotools.coco").COCO


def coco_evaluation() -> Any:
    """pycocotools' average precision, the class `COCOeval`."""
    return import_module("pycocotools.cocoeval").COCOeval


def confusion_matrix() -> Any:
    """torchmetrics' `MulticlassConfusionMatrix`."""
    from space.torchvision_support import prepare_torchvision

    prepare_torchvision()  # torchmetrics imports it
    return import_module("torchmetrics.classification").MulticlassConfusionMatrix
