"""The head of a network with the options that timm's models have: pooling and dropout."""

from torch import Tensor, nn

from space.errors import InputError
from space.networks.parts import Head
from space.torchvision_support import prepare_torchvision

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.layers import SelectAdaptivePool2d  # noqa: E402

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
