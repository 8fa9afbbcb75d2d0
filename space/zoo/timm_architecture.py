"""Any architecture in timm: `timm.create_model("mixspace_network", architecture={…})`.

The config.json of an exported folder asks for it by this name, so that after `import space.zoo`
`timm.create_model("local-dir:FOLDER", pretrained=True)` builds and loads what is in the folder.
"""

from collections.abc import Mapping
from typing import Any

from space.architecture import Architecture
from space.published import ZooEntry
from space.zoo.timm_models import PREFIX, TimmNetwork

# isort: split
from timm.models import build_model_with_cfg, register_model

NAME = f"{PREFIX}network"


def timm_config(architecture: Architecture, weights: Mapping[str, Any]) -> dict[str, Any]:
    """What timm reads of a folder, as the content of its config.json.

    Args:
        architecture: of the weights that lie beside it.
        weights: entries of timm's `pretrained_cfg`, such as mean, std and crop_pct.
    """
    image, head = architecture.input, architecture.head
    of_weights = {
        "input_size": [image.channels, image.height, image.width],
        "fixed_input_size": True,
        "num_classes": head.classes,
        "first_conv": "stem.project",
        "classifier": "head.classify",
        **weights,
    }
    return {
        "architecture": NAME,
        "num_classes": head.classes,
        "num_features": architecture.stages[-1].width,
        "global_pool": "avg",
        "model_args": {"architecture": architecture.to_dict()},
        "pretrained_cfg": of_weights,
    }


def mixspace_network(
    pretrained: bool = False,
    pretrained_cfg: Any = None,
    *,
    architecture: Architecture | Mapping[str, Any],
    **kwargs: Any,
) -> Any:
    """The network of an architecture, as timm expects its models to be.

    Args:
        pretrained, pretrained_cfg: of timm.
        architecture: or its plain values.
        kwargs: of `TimmNetwork` and of timm's `build_model_with_cfg`.

    Raises:
        InputError: for values that no architecture has, and options that are off.
    """
    if not isinstance(architecture, Architecture):
        architecture = Architecture.from_dict(architecture, "architecture")
    return build_model_with_cfg(
        TimmNetwork,
        NAME,
        pretrained,
        pretrained_cfg=pretrained_cfg or timm_config(architecture, {})["pretrained_cfg"],
        feature_cfg={
            "out_indices": tuple(range(len(architecture.stages))),
            "feature_cls": "getter",
        },
        entry=ZooEntry("network", architecture, "an architecture of its own"),
        **kwargs,
    )


register_model(mixspace_network)
