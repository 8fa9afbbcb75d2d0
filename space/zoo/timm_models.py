"""The zoo in timm: `timm.create_model("mixspace_dwnet_tiny")` after `import space.zoo`.

Each network is as timm expects its models to be: options, features, a new classifier.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from space.errors import InputError, Problem, refuse
from space.networks import Network
from space.networks.image_size import image_edges
from space.networks.stem_and_head import Head, classifier
from space.operators.layers import rate_problems
from space.published import ENTRIES, ZooEntry
from space.torchvision_support import prepare_torchvision
from space.zoo.create import varied

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.layers import SelectAdaptivePool2d  # noqa: E402
from timm.models import build_model_with_cfg, register_model  # noqa: E402
from timm.models._features import feature_take_indices  # noqa: E402
from timm.models._input import update_model_input_size  # noqa: E402

POOLS = ("avg", "max", "avgmax", "")
"""The kinds of global pooling that keep the width; with none (''), every position is classified."""


class TimmHead(nn.Module):
    """Norm, pooling, dropout, classifier; the tensors of `Head` under the same keys.

    As in timm's own models a norm before the pooling belongs to the features, one after it to the
    head: `features` is for `forward_features`, the rest for `forward_head`.

    Args:
        head: whose norm and classifier are taken over.
        global_pool: one of `POOLS`.
        drop_rate: dropout before the classifier.
    """

    def __init__(self, head: Head, global_pool: str, drop_rate: float) -> None:
        super().__init__()
        self.norm_first = head.norm_first
        self.norm: nn.Module = head.norm
        self.drop = nn.Dropout(drop_rate)
        self.classify = head.classify
        self.pool_with(global_pool)

    def pool_with(self, global_pool: str) -> None:
        """Pool in another way.

        Raises:
            InputError: for a kind that is not of `POOLS`.
        """
        if global_pool not in POOLS:
            allowed = ", ".join(map(repr, POOLS))
            raise InputError.of(
                "global_pool", f"{global_pool!r} is not allowed; allowed: {allowed}"
            )
        self.global_pool = SelectAdaptivePool2d(pool_type=global_pool)

    def features(self, x: Tensor) -> Tensor:
        """(B, C, H, W), normed where the norm comes before the pooling."""
        y: Tensor = self.norm(x) if self.norm_first else x
        return y

    def forward(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """(B, C, H, W) features to (B, classes), or to what the classifier reads, (B, C).

        Without pooling both keep their height and width.
        """
        x = self.global_pool(x)
        x = self.drop(x if self.norm_first else self.norm(x))
        if not pre_logits:
            x = self.classify(x.movedim(1, -1)).movedim(-1, 1)
        return x if self.global_pool.is_identity() else x.flatten(1)


def _listed(indices: int | Sequence[int] | None) -> int | list[int] | None:
    return indices if indices is None or isinstance(indices, int) else list(indices)


def _option_problems(size: object, rates: dict[str, float]) -> list[Problem]:
    problems = []
    if not (isinstance(size, tuple | list) and len(size) == 2):
        problems.append(Problem("img_size", f"{size!r} is no edge and no (height, width)"))
    for name, rate in rates.items():
        problems += rate_problems(name, rate)
    return problems


def _class_problems(num_classes: object) -> list[Problem]:
    if type(num_classes) is int and num_classes >= 0:
        return []
    return [Problem("num_classes", f"{num_classes!r} is not allowed; 0 or more")]


class TimmNetwork(Network):
    """A network with what timm expects of its models.

    `architecture` is always that of the network as it stands; once it is cut for its features, the
    network is no point of the space and has none.

    Args:
        entry: of the zoo.
        img_size: an edge or (height, width), in pixels.
        in_chans: channels of an image.
        num_classes: size of the classifier; 0 for none.
        global_pool: see `TimmHead`.
        drop_rate: dropout before the classifier.
        drop_path_rate: stochastic depth of the last block.

    Raises:
        InputError: with every option that is off.
    """

    head: TimmHead  # type: ignore[assignment]

    def __init__(
        self,
        entry: ZooEntry,
        img_size: int | tuple[int, int] = 224,
        in_chans: int = 3,
        num_classes: int = 1000,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
    ) -> None:
        size = (img_size, img_size) if isinstance(img_size, int) else img_size
        rates = {"drop_rate": drop_rate, "drop_path_rate": drop_path_rate}
        refuse(_option_problems(size, rates) + _class_problems(num_classes))
        architecture = varied(
            entry.architecture, num_classes=num_classes, image_size=size, channels=in_chans
        )
        super().__init__(architecture, drop_path_rate)
        self.head = TimmHead(cast(Head, self.get_submodule("head")), global_pool, drop_rate)
        stages, patch = architecture.stages, architecture.stem.patch_size
        self.num_features = self.head_hidden_size = stages[-1].width
        self.feature_info = [
            {"num_chs": stage.width, "reduction": patch * 2**place, "module": f"stages.{place}"}
            for place, stage in enumerate(stages)
        ]
        self.num_classes, self.in_chans = num_classes, in_chans
        self.global_pool, self.drop_rate = global_pool, drop_rate

    def get_classifier(self) -> nn.Module:
        """The last layer."""
        return self.head.classify

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """A new classifier for another number of classes, none for 0, and another pooling.

        Raises:
            InputError: for a number or a kind of pooling that there is not.
        """
        refuse(_class_problems(num_classes))
        if global_pool is not None:
            self.head.pool_with(global_pool)
            self.global_pool = global_pool
        if hasattr(self, "architecture"):
            self.architecture = varied(self.architecture, num_classes=num_classes)
        like = self.stem.project.weight
        fresh = classifier(self.num_features, num_classes).to(like.device, like.dtype)
        self.head.classify = fresh.train(self.training)
        self.num_classes = num_classes

    def forward_features(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) images to the last map, with the norm if it comes before pooling."""
        return self.head.features(self.forward_stages(x)[-1])

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The last stage's features to logits, or to what the classifier reads."""
        y: Tensor = self.head(x, pre_logits)
        return y

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) images to (B, classes) logits."""
        return self.forward_head(self.forward_features(images))

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | Sequence[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        """The maps of some stages, as timm's other models return them: only the last is normed."""
        if output_fmt != "NCHW":
            raise ValueError(f"output_fmt {output_fmt!r} is not allowed; allowed: 'NCHW'")
        stages = len(self.stages)
        wanted, last = feature_take_indices(stages, _listed(indices))
        maps = self.forward_stages(x, last + 1 if stop_early else stages)
        end = self.head.features(maps[-1]) if len(maps) == stages else maps[-1]
        chosen = [end if norm and place == stages - 1 else maps[place] for place in wanted]
        return chosen if intermediates_only else (end, chosen)

    def prune_intermediate_layers(
        self,
        indices: int | Sequence[int] = 1,
        prune_norm: bool = False,
        prune_head: bool = True,
    ) -> list[int]:
        """Drops the stages after the last one asked for, and the norm and the head if asked to."""
        wanted, last = feature_take_indices(len(self.stages), _listed(indices))
        shorter = last < len(self.stages) - 1
        norm_goes = shorter or (prune_norm if self.head.norm_first else prune_head)
        if prune_head or shorter:
            self.reset_classifier(0, "")
        if norm_goes:
            self.head.norm = nn.Identity()
            self.__dict__.pop("architecture", None)
        if shorter:
            self.stages, self.downsamples = self.stages[: last + 1], self.downsamples[:last]
            self.num_features = self.head_hidden_size = self.feature_info[last]["num_chs"]
        return list(wanted)

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def set_input_size(
        self,
        img_size: int | Sequence[int] | None = None,
        window_size: int | Sequence[int | None] | None = None,
    ) -> None:
        """See `Network.set_input_size`; timm's `get_model_input_config` then has the new size.

        Raises:
            InputError: naming every block whose weights are for one size only.
        """
        super().set_input_size(img_size, window_size)
        if img_size is not None:
            update_model_input_size(self, image_edges(img_size))

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Parameter groups for layer-wise rates: the stem, then stages or blocks."""
        blocks = r"^stages\.(\d+)" if coarse else r"^stages\.(\d+)\.(\d+)"
        return {"stem": r"^stem", "blocks": [(blocks, None), (r"^downsamples\.(\d+)", (0,))]}


PREFIX = "mixspace_"

_CONFIGURATION: dict[str, Any] = {
    "input_size": (3, 224, 224),
    "num_classes": 1000,
    "first_conv": "stem.project",
    "classifier": "head.classify",
    "fixed_input_size": True,
}


def _register(entry: ZooEntry) -> None:
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


for _entry in ENTRIES.values():
    _register(_entry)
