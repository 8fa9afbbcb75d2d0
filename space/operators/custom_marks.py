"""Whether W of a custom mixer is what its marks say.

W is the Jacobian of the result by the values, at random parameters: for dynamic weights with the
context held fixed, as a dynamic mixer is linear in what it sums and not in what makes its weights.
So a module with dynamic weights that takes one map alone can declare no marks.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from space.custom import CustomMixer, Marks
from space.errors import Problem
from space.geometry import MapSize
from space.operators.custom import CustomTokenMixer, built, called

_SEED = 20
_ZERO = 1e-14
"""An entry of W is zero below this share of the largest one, in float64."""
_EQUAL = 1e-6
_NARROW = 8
_AT_ONCE = 256
"""Columns of W at a time, which are a batch of images."""
_NEAR_KERNELS = 7
"""Up to this kernel size W is looked at on a map that is larger than the kernel both ways."""


def mark_problems(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    """What is wrong with the marks of a mixer; width and size are those of a map of the space."""
    if not mixer.definition.marks.declared:
        return []
    narrow, maps = _small(mixer, width)
    if not all(_builds(mixer, narrow, each) for each in maps):
        narrow, maps = width, [size]  # it wants another width or map than is quick to look at
    return list(dict.fromkeys(p for each in maps for p in _seen(mixer, narrow, each)))


@lru_cache(1 << 10)  # one mixer stands at many maps of a space, and is looked at on a small one
def _seen(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    marks = mixer.definition.marks
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        sight = _Sight(mixer, width, size)
        if not sight.is_linear:
            message = (
                "W is not to be seen: the result is not linear in the values. A module with "
                "dynamic weights takes (values, context); without marks it may be anything"
            )
            return [Problem("marks", message)]
        checks: tuple[Callable[[_Sight, Marks], Iterator[Problem]], ...] = (
            _locality_problems,
            _channel_problems,
            _sharing_problems,
            _dynamics_problems,
        )
        return [problem for check in checks for problem in check(sight, marks)]


def _small(mixer: CustomMixer, width: int) -> tuple[int, list[MapSize]]:
    """A width and maps on which W is quick to have, and everything marked is to be seen.

    Large kernels are looked at on two strips, one in each direction.
    """
    options, definition = mixer.all_options, mixer.definition
    divisors = [int(options[name]) for name in definition.divide_width]
    step = math.lcm(*divisors, *(int(options[n]) for n in ("groups",) if n in options))
    narrow = step * max(2, math.ceil(_NARROW / step))  # narrower ones may hide what is tied
    kernel = mixer.kernel_size or 0
    if not kernel:
        return narrow, [MapSize(5, 6)]
    if kernel > _NEAR_KERNELS:
        return narrow, [MapSize(kernel + 2, 1), MapSize(1, kernel + 2)]
    return narrow, [MapSize(kernel + 2, kernel + 3)]


def _builds(mixer: CustomMixer, width: int, size: MapSize) -> bool:
    zeros = torch.zeros(1, width, size.height, size.width)
    try:
        CustomTokenMixer(mixer, width, size).eval()(zeros, zeros)
    except Exception:  # noqa: BLE001  a width that it was not made for says nothing against it
        return False
    return True


@dataclass
class _Sight:
    """What is seen of a mixer's W on a small map.

    Attributes:
        mixer, width, size: what is looked at.
    """

    mixer: CustomMixer
    width: int
    size: MapSize

    def __post_init__(self) -> None:
        self.module = built(self.mixer, self.width, self.size).double().eval()
        for each in self.module.parameters():
            noise = torch.randn_like(each) * (0.3 * each.detach().abs().mean() + 0.1)
            each.requires_grad_(False).add_(noise)
        shape = (3, 1, self.width, self.size.height, self.size.width)
        self.values, self.context, self.other = torch.randn(shape, dtype=torch.float64)

    def mixed(self, values: Tensor, context: Tensor) -> Tensor:
        """(B, C, H, W) values with one context, to the results."""
        return called(self.module, values, context.expand_as(values))

    def matrix(self, context: Tensor) -> Tensor:
        """(C, N, C, N): W with that context, the Jacobian of an affine map, a column an image."""
        count = self.size.positions
        none = self.mixed(torch.zeros_like(self.values), context)
        columns = [
            self.mixed(units.unflatten(1, none.shape[1:]), context) - none
            for units in torch.eye(self.width * count, dtype=torch.float64).split(_AT_ONCE)
        ]
        return torch.cat(columns).flatten(1).T.reshape(self.width, count, self.width, count)

    @cached_property
    def first(self) -> Tensor:
        """W."""
        return self.matrix(self.context)

    @cached_property
    def is_linear(self) -> bool:
        """Whether it is an affine map of the values, for one context."""
        one, other = self.values, 2 * self.other
        none = self.mixed(torch.zeros_like(one), self.context)
        apart = self.mixed(one, self.context) + self.mixed(other, self.context) - 2 * none
        return not differ(apart, self.mixed(one + other, self.context) - none, _EQUAL)

    @cached_property
    def connected(self) -> Tensor:
        """(C, N, C, N), where W is not zero."""
        return self.first.abs() > _ZERO * self.first.abs().max()

    @cached_property
    def positions(self) -> Tensor:
        """(N, N): which position p reads which q, in any channel."""
        return self.connected.any(2).any(0)

    @cached_property
    def channels(self) -> Tensor:
        """(C, C): which channel reads which, anywhere."""
        return self.connected.any(3).any(1)

    def places(self) -> Tensor:
        """(N, 2) row and column of every position."""
        number = torch.arange(self.size.positions)
        return torch.stack([number // self.size.width, number % self.size.width], 1)


def _locality_problems(sight: _Sight, marks: Marks) -> Iterator[Problem]:
    if marks.locality is None:
        return
    places, read = sight.places(), sight.positions
    kernel = sight.mixer.kernel_size or 0
    if marks.locality == "global":
        allowed = torch.ones_like(read)
    elif marks.locality == "sliding":
        allowed = (places[:, None] - places[None]).abs().amax(2) <= kernel // 2
    else:
        tiles = places // max(kernel, 1)
        allowed = (tiles[:, None] == tiles[None]).all(2)
    said = f"{marks.locality}" + (f" of kernel size {kernel}" if kernel else "")
    far = (read & ~allowed).nonzero()
    if len(far):
        p, q = (tuple(places[int(each)].tolist()) for each in far[0])
        yield Problem("marks.locality", f"{said} is declared, and position {p} reads {q}")
    elif marks.locality == "sliding":
        yield from _unused_reach(sight, allowed, said)
    elif not read[allowed].all():
        share = read[allowed].float().mean().item()
        message = f"{said} is declared, and only {share:.1%} of its pairs of positions are joined"
        yield Problem("marks.locality", message)


def _unused_reach(sight: _Sight, allowed: Tensor, said: str) -> Iterator[Problem]:
    """The farthest rows and columns within the reach must be read by somebody."""
    places = sight.places()
    offsets = (places[:, None] - places[None]).abs()
    for axis, word in enumerate(("rows", "columns")):
        reach = int(offsets[..., axis][allowed].max())
        used = int(offsets[..., axis][sight.positions].max()) if sight.positions.any() else 0
        if used < reach:
            message = f"{said} is declared, and nothing farther than {used} {word} away is read"
            yield Problem("marks.locality", message)


def _channel_problems(sight: _Sight, marks: Marks) -> Iterator[Problem]:
    if marks.channels is None:
        return
    width, read = sight.width, sight.channels
    groups = {"dense": 1, "separable": width}.get(marks.channels, sight.mixer.groups or 1)
    group = torch.arange(width) // max(1, width // groups)
    allowed = group[:, None] == group[None]
    more = (read & ~allowed).nonzero()
    if len(more):
        c, d = more[0].tolist()
        yield Problem("marks.channels", f"{marks.channels} is declared, and channel {c} reads {d}")
    elif not read[allowed].all():
        c, d = (allowed & ~read).nonzero()[0].tolist()
        message = f"{marks.channels} is declared, and channel {c} does not read {d}"
        yield Problem("marks.channels", message)


def _sharing_problems(sight: _Sight, marks: Marks) -> Iterator[Problem]:
    if marks.sharing is None:
        return
    found = {
        (False, False): "none",
        (True, False): "position",
        (False, True): "channel",
        (True, True): "both",
    }[_shares_positions(sight), _shares_channels(sight)]
    if found != marks.sharing:
        message = f"{marks.sharing} is declared, and what is tied in W is {found}"
        yield Problem("marks.sharing", message)


def _shares_positions(sight: _Sight) -> bool:
    """Whether W depends on q − p only.

    Between positions whose reach lies within the map, as a module may pad as it likes; where no
    reach does, along a strip, between those of the same row or column of it.
    """
    places, size = sight.places(), sight.size
    kernel = sight.mixer.kernel_size or 0
    border = kernel // 2 if sight.mixer.locality != "window" else 0
    number = torch.zeros(len(places), len(places), dtype=torch.long)
    inside = torch.ones(len(places), dtype=torch.bool)
    for axis, extent in enumerate((size.height, size.width)):
        place = places[:, axis]
        offset = place[None] - place[:, None] + extent
        number = number * 8 * extent * extent + offset
        if border > 0 and extent > 2 * border:
            inside &= (place >= border) & (place < extent - border)
        elif border:
            number = number * extent + place[:, None]
    blocks, number = sight.first.permute(1, 3, 0, 2)[inside], number[inside]
    scale = sight.first.abs().max()
    for value in number.unique():
        same = blocks[number == value]
        if (same - same[:1]).abs().max() > _EQUAL * scale:
            return False
    return True


def _shares_channels(sight: _Sight) -> bool:
    """Whether the channels of a head have equal weights on their own."""
    heads = sight.mixer.heads or 1
    if sight.width % heads or sight.width == heads:
        return False
    own = torch.diagonal(sight.first, dim1=0, dim2=2).permute(2, 0, 1)
    by_head = own.unflatten(0, (heads, -1))
    return not differ(by_head, by_head[:, :1].expand_as(by_head), _EQUAL)


def _dynamics_problems(sight: _Sight, marks: Marks) -> Iterator[Problem]:
    if marks.dynamics is None:
        return
    found = _dynamics(sight)
    if found != marks.dynamics:
        says = {
            "static": "does not depend on the map",
            "homogeneous": "depends on the map, alike at all positions",
            "inhomogeneous": "depends at each position on that position alone",
            "attention": "depends at each position on that one and others",
        }
        message = f"{marks.dynamics} is declared, and W {says[found]}: {found}"
        yield Problem("marks.dynamics", message)


def _dynamics(sight: _Sight) -> str:
    """The value of the axis that W shows."""
    contexts = (sight.other, -3 * sight.other, 3 * sight.values)  # one alone may meet a dead ReLU
    if not any(differ(sight.first, sight.matrix(each), _EQUAL) for each in contexts):
        return "static"
    if _shares_positions(sight):
        return "homogeneous"
    place = sight.size.positions // 2
    changed = sight.context.flatten(2).clone()
    changed[..., place] = sight.other.flatten(2)[..., place]
    matrix = sight.matrix(changed.reshape(sight.context.shape))
    elsewhere = torch.arange(sight.size.positions) != place
    return (
        "attention"
        if differ(sight.first[:, elsewhere], matrix[:, elsewhere], _EQUAL)
        else ("inhomogeneous")
    )


def differ(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Whether two tensors are apart by more than a share of the largest entry of the first."""
    scale = max(one.abs().max().item(), 1e-30)
    return (one - other).abs().max().item() > tolerance * scale
