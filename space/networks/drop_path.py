"""Stochastic depth: a training image skips a residual branch with some probability."""

from torch import Tensor, nn

from space.errors import Problem


def rate_problems(name: str, rate: object) -> list[Problem]:
    """What is wrong with the rate of a dropout, if anything; at 1 nothing would be left."""
    if type(rate) in (int, float) and 0 <= rate < 1:  # type: ignore[operator]
        return []
    return [Problem(name, f"{rate!r} is not a rate; must be at least 0 and less than 1")]


class DropPath(nn.Module):
    """Zeroes the branch of an image with probability `rate`, and scales the others by 1/(1−rate).

    The same as timm's; written out so that building a network does not import timm.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(1 - self.rate)
        return x * kept.div_(1 - self.rate)

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"
