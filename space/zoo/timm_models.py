"""The zoo in timm: `timm.create_model("mixspace_dwnet_tiny")` after `import space.zoo`."""

from typing import Any

from space.published import ENTRIES, Entry
from space.torchvision_support import prepare_torchvision
from space.zoo.timm_network import TimmNetwork

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.models import build_model_with_cfg, register_model  # noqa: E402

PREFIX = "mixspace_"

_CONFIGURATION: dict[str, Any] = {
    "input_size": (3, 224, 224),
    "num_classes": 1000,
    "first_conv": "stem.project",
    "classifier": "head.classify",
    "fixed_input_size": True,
}


def _register(entry: Entry) -> str:
    def constructor(
        pretrained: bool = False, pretrained_cfg: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        stages = len(entry.architecture.stages)
        return build_model_with_cfg(
            TimmNetwork,
            PREFIX + entry.name,
            pretrained,
            pretrained_cfg=pretrained_cfg or _CONFIGURATION,
            feature_cfg={"out_indices": tuple(range(stages)), "feature_cls": "getter"},
            entry=entry,
            **kwargs,
        )

    constructor.__name__ = PREFIX + entry.name
    constructor.__module__ = __name__
    constructor.__doc__ = f"{entry.name}: {entry.provenance}."
    register_model(constructor)
    return constructor.__name__


for _entry in ENTRIES.values():
    _register(_entry)
