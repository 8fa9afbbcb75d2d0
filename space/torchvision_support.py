"""Makes torchvision, and with it timm, importable beside a torch it was not compiled for.

torchvision has no CPU build on some machines: its binary operators do not load there, and
`import torchvision` dies with "operator torchvision::nms does not exist", because its Python code
registers fakes for operators that nobody has defined. Defining the two schemas first is enough for
transforms, datasets and models; `nms` itself stays without an implementation.

Call `prepare_torchvision()` before the first import of torchvision or timm. Where the builds match
it defines nothing.
"""

import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@cache
def prepare_torchvision() -> bool:
    """Define the missing operator schemas, when and only when they are missing.

    Returns:
        True if the schemas had to be defined by this process.
    """
    if "torchvision" in sys.modules or _binary_operators_load() or not _missing():
        return False
    for name in _missing():
        torch.library.define(f"torchvision::{name}", SCHEMAS[name].removeprefix(name))
    return True


def _missing() -> list[str]:
    return [name for name in SCHEMAS if not hasattr(torch.ops.torchvision, name)]


def _binary_operators_load() -> bool:
    # torchvision loads this same library on import; loading it twice is harmless, while schemas
    # defined before a library that does load would clash with its own.
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for suffix in EXTENSION_SUFFIXES:
        library = Path(spec.origin).with_name(f"_C{suffix}")
        if library.exists():
            try:
                torch.ops.load_library(str(library))
            except (OSError, ImportError):
                return False
            return True
    return False
