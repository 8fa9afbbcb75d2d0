"""Whether a custom mixer is what it says: shape, numbers, batch, cost, and its marks on W.

W is the Jacobian of the result by the values, at random parameters: for dynamic weights with the
context held fixed, as a dynamic mixer is linear in what it sums and not in what makes its weights.
So a module with dynamic weights that takes one map alone can declare no marks.
"""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from space.cost.custom_cost import custom_cost
from space.custom import CustomMixer, Marks, MixerDefinition, registered_mixers
from space.custom.plugins import refuse_unimportable
from space.custom.registry import registered
from space.errors import InputError, Problem, refuse
from space.geometry import MapSize, width_problems
from space.mixer_types import LITERATURE_NAMES, PAPER_NAMES, is_operator_name
from space.operators.custom import CustomTokenMixer, map_names
from space.operators.tracing import traced_cost
from space.wording import did_you_mean

_SEED = 20
_BATCH = 3
_ZERO = 1e-14
"""An entry of W is zero below this share of the largest one, in float64."""
_EQUAL = 1e-6
_NARROW = 8
_AT_ONCE = 256
"""Columns of W at a time, which are a batch of images."""
_NEAR_KERNELS = 7
"""Up to this kernel size W is looked at on a map that is larger than the kernel both ways."""


def check_custom_mixer(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    """What makes a mixer useless for a search, in the order in which it would be met.

    Args:
        mixer: registered, with its options.
        width: channels of a map that it is to mix.
        size: of that map, in positions.

    Returns:
        Nothing, or what is wrong; the places are fields of its registration, or empty.
    """
    try:
        refuse_unimportable(mixer.definition, "factory")
        refuse(_relative_problems(mixer.definition))
        problems = width_problems(mixer, width) or list(_use_problems(mixer, width, size))
        if not problems:
            problems = [*_cost_problems(mixer, width, size), *_mark_problems(mixer, width, size)]
    except InputError as error:
        problems = list(error.problems)
    return problems


def check_size(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
    """What is quick to see at one more width: whether it is built, keeps the shape, has its cost.

    Args:
        mixer, width, size: as of `check_custom_mixer`, which the mixer has passed at another width.
    """
    try:
        return list(_cost_problems(mixer, width, size))
    except InputError as error:
        return list(error.problems)


def _relative_problems(definition: MixerDefinition) -> Iterator[Problem]:
    own = [each.name for each in registered_mixers()]
    for name in definition.relatives:
        if not is_operator_name(name) and registered(name) is None:
            hint = did_you_mean(name, [*PAPER_NAMES, *LITERATURE_NAMES.values(), *own])
            yield Problem("relatives", f"no operator is named {name!r}{hint}")


# --- use ------------------------------------------------------------------------------------------


def _use_problems(mixer: CustomMixer, width: int, size: MapSize) -> Iterator[Problem]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        # As networks are trained: channels last, which rearranges parameters of four axes too.
        module = _built(mixer, width, size)
        unfit = [*_order_problems(module), *_training_problems(module)]
        if unfit:
            yield from unfit
            return
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (_BATCH, width, size.height, size.width)
        values, context = (
            torch.randn(shape).to(memory_format=torch.channels_last) for _ in range(2)
        )
        trained = _called(module.train(), values.requires_grad_(), context.requires_grad_())
        yield from _result_problems(trained, values)
        if trained.shape != values.shape or not trained.isfinite().all():
            return
        yield from _gradient_problems(module, trained)
        module.eval()
        with torch.no_grad():
            whole = _called(module, values, context)
            again = _called(module, values, context)
            each = [_called(module, v[None], c[None]) for v, c in zip(values, context, strict=True)]
    if not torch.equal(whole, again):
        yield Problem("", "gives different results for the same map, in eval mode")
    elif _differ(whole, torch.cat(each), 1e-3):
        message = "gives an image another result when other images are in its batch, in eval mode"
        yield Problem("", message)


def _built(mixer: CustomMixer, width: int, size: MapSize) -> CustomTokenMixer:
    try:
        return CustomTokenMixer(mixer, width, size)
    except InputError:
        raise
    except Exception as error:
        on = f"width {width} on {size.height}×{size.width}"
        message = f"building it at {on} fails: {type(error).__name__}: {_first_line(error)}"
        raise InputError.of("factory", message) from error


def _order_problems(module: CustomTokenMixer) -> Iterator[Problem]:
    names = map_names(module.module)
    if len(names) > 2:
        yield Problem("forward", f"takes {', '.join(names)}; it is given values and context")
    elif names[:1] == ["context"]:
        yield Problem("forward", "takes the context first; it is given (values, context)")


def _training_problems(module: CustomTokenMixer) -> Iterator[Problem]:
    """What a training does to every network besides calling it."""
    for name, each in module.named_parameters():
        if not each.is_floating_point():
            where = name.removeprefix("module.")
            yield Problem("forward", f"the parameter {where} is {each.dtype}; AdamW wants floats")
    try:
        copy.deepcopy(module)  # the moving average of weights is a copy
    except Exception as error:  # noqa: BLE001  whatever the code of others raises
        said = f"{type(error).__name__}: {_first_line(error)}"
        yield Problem(
            "factory", f"its module cannot be copied, as an average of weights is: {said}"
        )


def _called(module: CustomTokenMixer, values: Tensor, context: Tensor) -> Tensor:
    try:
        result: Any = module(values, context)
    except Exception as error:
        shape = "×".join(map(str, values.shape))
        message = f"fails on a map of {shape}: {type(error).__name__}: {_first_line(error)}"
        raise InputError.of("forward", message) from error
    if not isinstance(result, Tensor):
        raise InputError.of("forward", f"returns {type(result).__name__}, and no tensor")
    return result


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _result_problems(result: Tensor, values: Tensor) -> Iterator[Problem]:
    if result.shape != values.shape:
        shapes = (list(values.shape), list(result.shape))
        yield Problem("forward", f"changes the shape of the map: from {shapes[0]} to {shapes[1]}")
    if result.dtype != values.dtype:
        yield Problem("forward", f"changes the dtype of the map: to {result.dtype}")
    if not result.isfinite().all():
        share = (~result.isfinite()).float().mean().item()
        yield Problem("forward", f"{share:.1%} of its result for normal values is NaN or infinite")


def _gradient_problems(module: nn.Module, result: Tensor) -> Iterator[Problem]:
    if not result.requires_grad:
        yield Problem("forward", "its result has no gradient, so that nothing before it can learn")
        return
    result.square().mean().backward()
    bad = [
        name
        for name, each in module.named_parameters()
        if each.grad is not None and not each.grad.isfinite().all()
    ]
    if bad:
        names = ", ".join(name.removeprefix("module.") for name in bad[:5])
        yield Problem("forward", f"gradients of {names} are NaN or infinite")


def _differ(one: Tensor, other: Tensor, tolerance: float) -> bool:
    scale = max(one.abs().max().item(), 1e-30)
    return (one - other).abs().max().item() > tolerance * scale


# --- cost -----------------------------------------------------------------------------------------


def _cost_problems(mixer: CustomMixer, width: int, size: MapSize) -> Iterator[Problem]:
    """Formulas are held to what is built; a sum that torch's counter misses may be counted."""
    params, macs, _ = custom_cost(mixer, width, size)  # traced where there is no formula
    definition = mixer.definition
    if definition.params is None and definition.macs is None:
        return
    at = f"at width {width} on {size.height}×{size.width}"
    built = sum(p.numel() for p in _built(mixer, width, size).parameters() if p.requires_grad)
    if params != built:
        yield Problem("params", f"the formula gives {params:,} {at}, and the module has {built:,}")
    try:
        counted = traced_cost(mixer, width, size)[1]
    except InputError as error:
        if any(problem.where == "forward" for problem in error.problems):
            raise
        return  # it has a formula because it cannot be traced
    if macs < counted:
        message = f"the formula gives {macs:,} {at}, and torch's counter sees {counted:,}"
        yield Problem("macs", message)


# --- marks ----------------------------------------------------------------------------------------


def _mark_problems(mixer: CustomMixer, width: int, size: MapSize) -> list[Problem]:
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
        self.module = _built(self.mixer, self.width, self.size).double().eval()
        for each in self.module.parameters():
            noise = torch.randn_like(each) * (0.3 * each.detach().abs().mean() + 0.1)
            each.requires_grad_(False).add_(noise)
        shape = (3, 1, self.width, self.size.height, self.size.width)
        self.values, self.context, self.other = torch.randn(shape, dtype=torch.float64)

    def mixed(self, values: Tensor, context: Tensor) -> Tensor:
        """(B, C, H, W) values with one context, to the results."""
        return _called(self.module, values, context.expand_as(values))

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
        return not _differ(apart, self.mixed(one + other, self.context) - none, _EQUAL)

    @cached_property
    def connected(self) -> Tensor:
        """(C, N, C, N), where W is not zero."""
        return self.first.abs() > _ZERO * self.first.abs().max()

    @cached_property
    def positions(self) -> Tensor:
        """(N, N): which position p reads which q, in any channel."""
        return self.connected.any(2).any(0)

    @cached_property
    def touched(self) -> Tensor:
        """(N, N): the same of all that is not exactly zero: a softmax may give very little."""
        return self.first.ne(0).any(2).any(0)

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
    return not _differ(by_head, by_head[:, :1].expand_as(by_head), _EQUAL)


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
    if not any(_differ(sight.first, sight.matrix(each), _EQUAL) for each in contexts):
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
        if _differ(sight.first[:, elsewhere], matrix[:, elsewhere], _EQUAL)
        else ("inhomogeneous")
    )
