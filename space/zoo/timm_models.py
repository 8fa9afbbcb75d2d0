"""The zoo in timm: `timm.create_model("mixspace_dwnet_tiny")` after `import space.zoo`."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from space.errors import InputError, Problem
from space.networks import Network
from space.networks.parts import classifier
from space.published import ENTRIES, Entry
from space.torchvision_support import prepare_torchvision
from space.zoo.variation import varied

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.models import build_model_with_cfg, register_model  # noqa: E402
from timm.models._features import feature_take_indices  # noqa: E402

PREFIX = "mixspace_"


def _listed(indices: int | Sequence[int] | None) -> int | list[int] | None:
    return indices if indices is None or isinstance(indices, int) else list(indices)


def _refuse_odd(size: object, num_classes: object, drop_path_rate: float) -> None:
    problems = []
    if not (isinstance(size, tuple | list) and len(size) == 2):
        problems.append(Problem("img_size", f"{size!r} is no edge and no (height, width)"))
    if not (isinstance(num_classes, int) and num_classes >= 0):
        problems.append(Problem("num_classes", f"{num_classes!r} is not allowed; 0 or more"))
    if not 0 <= drop_path_rate < 1:
        problems.append(Problem("drop_path_rate", f"{drop_path_rate!r} is not in [0, 1)"))
    if problems:
        raise InputError(problems)


class TimmNetwork(Network):
    """A network with what timm expects of its models.

    Args:
        entry: of the zoo.
        img_size: an edge or (height, width), in pixels.
        in_chans: channels of an image.
        num_classes: size of the classifier; 0 for none.
        drop_path_rate: stochastic depth of the last block.
    """

    def __init__(
        self,
        entry: Entry,
        img_size: int | tuple[int, int] = 224,
        in_chans: int = 3,
        num_classes: int = 1000,
        drop_path_rate: float = 0.0,
    ) -> None:
        size = (img_size, img_size) if isinstance(img_size, int) else img_size
        _refuse_odd(size, num_classes, drop_path_rate)
        architecture = varied(
            entry.architecture,
            num_classes=max(1, num_classes),
            image_size=size,
            channels=in_chans,
        )
        super().__init__(architecture, drop_path_rate)
        stages, patch = architecture.stages, architecture.stem.patch_size
        self.num_features = self.head_hidden_size = stages[-1].width
        self.feature_info = [
            {"num_chs": stage.width, "reduction": patch * 2**place, "module": f"stages.{place}"}
            for place, stage in enumerate(stages)
        ]
        self.num_classes = num_classes
        if num_classes == 0:
            self.reset_classifier(0)

    def get_classifier(self) -> nn.Module:
        """The last layer."""
        return self.head.classify

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A new classifier for another number of classes; none for 0."""
        self.num_classes = num_classes
        self.head.classify = (
            classifier(self.num_features, num_classes) if num_classes else nn.Identity()
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) images to the last stage's map."""
        return self.forward_stages(x)[-1]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The last stage's map to logits, or to what the classifier reads."""
        y: Tensor = self.head.pooled(x) if pre_logits else self.head(x)
        return y

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """The maps of some stages, as timm's other models return them."""
        if output_fmt != "NCHW":
            raise ValueError(f"output_fmt {output_fmt!r} is not allowed; allowed: 'NCHW'")
        wanted, last = feature_take_indices(len(self.stages), _listed(indices))
        maps = self.forward_stages(x, last + 1 if stop_early else len(self.stages))
        chosen = [maps[place] for place in wanted]
        return chosen if intermediates_only else (maps[-1], chosen)

    def prune_intermediate_layers(
        self,
        indices: int | Sequence[int] = 1,
        prune_norm: bool = False,
        prune_head: bool = True,
    ) -> list[int]:
        """Drops the stages after the last one asked for, and the head."""
        wanted, last = feature_take_indices(len(self.stages), _listed(indices))
        self.stages = self.stages[: last + 1]
        if prune_head:
            self.register_module("head", nn.Identity())
        return list(wanted)

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def no_weight_decay(self) -> set[str]:
        """Parameters that are not decayed besides those of one dimension: position biases."""
        return {name for name, _ in self.named_parameters() if name.endswith("position_bias")}

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Parameter groups for layer-wise rates: the stem, then stages or blocks."""
        blocks = r"^stages\.(\d+)" if coarse else r"^stages\.(\d+)\.(\d+)"
        return {"stem": r"^stem", "blocks": [(blocks, None), (r"^downsamples\.(\d+)", (0,))]}


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
