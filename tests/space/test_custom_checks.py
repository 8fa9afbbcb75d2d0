"""A custom mixer is not what it says: refused with the reason, before anything is trained."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from space import CustomMixer, InputError, MapSize, Mixer, all_mixer_types
from space.axes import AXES
from space.cost.custom_cost import custom_cost
from space.custom import register_mixer
from space.custom.registry import forget
from space.geometry import width_problems
from space.mixer_types import MixerType
from space.operators import TokenMixer
from space.operators.custom_checks import check_custom_mixer, check_size
from tests.space.own_mixers import POOLED, Gate, Pool, of, put
from tests.support.thorough import thorough_but_every

NAME = "test subject"
MAP = MapSize(6, 7)


@pytest.fixture(autouse=True)
def nobody_registered() -> Iterator[None]:
    forget(NAME)
    yield
    forget(NAME)


def said(factory: Any, width: int = 8, size: MapSize = MAP, **declared: Any) -> str:
    """What is wrong with a mixer; empty where nothing is."""
    forget(NAME)
    put(NAME, factory, **declared)
    return "\n".join(map(str, check_custom_mixer(CustomMixer(NAME), width, size)))


def by_function(function: Callable[[Tensor], Tensor], **declared: Any) -> str:
    return said(of(function), **declared)


# --- use ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: x[:, :, ::2], "forward: changes the shape of the map: from [3, 8, 6, 7] to"),
        (lambda x: x.flatten(2), "forward: changes the shape of the map"),
        (lambda x: x.half(), "forward: changes the dtype of the map: to torch.float16"),
        (lambda x: x.log(), "of its result for normal values is NaN or infinite"),
        (lambda x: x / 0, "forward: 100.0% of its result for normal values is NaN or infinite"),
        (lambda x: x - x.mean(0), "gives an image another result when other images are in its"),
        (lambda x: x + torch.randn_like(x), "gives different results for the same map"),
        (lambda x: x.detach(), "forward: its result has no gradient"),
        (lambda x: x.abs().sqrt() - (x * 0).sqrt(), "forward: gradients of scale are NaN"),
        (lambda x: (x, x), "forward: returns tuple, and no tensor"),
        (lambda x: x @ x, "forward: fails on a map of 3×8×6×7: RuntimeError"),
    ],
)
def test_a_module_that_cannot_stand_in_a_network(
    function: Callable[[Tensor], Tensor], words: str
) -> None:
    assert words in by_function(function)


def test_a_module_that_cannot_be_built() -> None:
    def breaks(width: int, size: MapSize) -> nn.Module:
        raise RuntimeError("only for widths of 96")

    breaks.__qualname__ = "breaks"
    assert said(breaks) == (
        "factory: building it at width 8 on 6×7 fails: RuntimeError: only for widths of 96"
    )


def test_a_parameter_of_four_axes_that_is_no_kernel_is_met_as_it_is_trained() -> None:
    class Filter(nn.Module):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(width, size.height, size.width // 2 + 1, 2))

        def forward(self, values: Tensor) -> Tensor:
            spectrum = torch.fft.rfft2(values) * torch.view_as_complex(self.weight)
            return torch.fft.irfft2(spectrum, s=values.shape[2:])

    Filter.__qualname__ = "Filter"
    assert "last dimension" in said(Filter)


def test_what_has_a_default_is_an_option_and_no_context() -> None:
    class Scaled(Pool):
        def forward(self, values: Tensor, scale: float = 2.0) -> Tensor:
            mean: Tensor = self.pool(values)
            return mean * scale

    class Swapped(Gate):
        def forward(self, context: Tensor, values: Tensor) -> Tensor:
            return values * torch.sigmoid(self.gate(context))

    class Three(Gate):
        def forward(self, values: Tensor, context: Tensor, third: Tensor) -> Tensor:
            return values

    for kind in (Scaled, Swapped, Three):
        kind.__qualname__ = kind.__name__
    assert said(Scaled, **pooled()) == ""
    assert "forward: takes the context first" in said(Swapped)
    assert "forward: takes values, context, third; it is given values and context" in said(Three)


def test_what_a_training_would_stumble_over() -> None:
    class Complex(Gate):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__(width, size)
            self.turn = nn.Parameter(torch.ones(width, dtype=torch.complex64))

    class Uncopied(Gate):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__(width, size)
            self.kept = torch.ones(1, requires_grad=True) * 2

    for kind in (Complex, Uncopied):
        kind.__qualname__ = kind.__name__
    assert "the parameter turn is torch.complex64; AdamW wants floats" in said(Complex)
    assert "factory: its module cannot be copied, as an average of weights is" in said(Uncopied)


def test_a_width_at_which_it_is_another() -> None:
    class Halves(Pool):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__(width, size)
            self.every = 2 if width > 24 else 1

        def forward(self, values: Tensor) -> Tensor:
            return values[..., :: self.every]

    Halves.__qualname__ = "Halves"
    assert said(Halves, width=24) == ""
    (problem,) = check_size(CustomMixer(NAME), 32, MAP)
    assert "changes the shape of the map" in problem.message
    forget(NAME)
    put(NAME, Gate, params=lambda width, size: 24 * 25)
    assert check_custom_mixer(CustomMixer(NAME), 24, MAP) == []
    (problem,) = check_size(CustomMixer(NAME), 32, MAP)
    assert problem.message == "the formula gives 600 at width 32 on 6×7, and the module has 1,056"


@pytest.mark.parametrize(("locality", "kernel"), [("sliding", 13), ("window", 9)])
def test_what_reads_the_whole_map_is_no_large_kernel(locality: str, kernel: int) -> None:
    marks = {"locality": locality, "kernel_size": kernel}
    words = by_function(lambda x: x + x.mean((2, 3), keepdim=True), marks=marks)
    assert f"marks.locality: {locality} of kernel size {kernel} is declared, and position" in words


def test_a_large_kernel_may_pad_as_it_likes() -> None:
    class Normed(Pool):
        def __init__(self, width: int, size: MapSize, kernel_size: int) -> None:
            super().__init__(width, size)
            half = kernel_size // 2
            self.pool = nn.AvgPool2d(kernel_size, 1, half, count_include_pad=False)

    Normed.__qualname__ = "Normed"
    assert said(Normed, options={"kernel_size": 9}, marks=POOLED) == ""


def test_a_module_that_wants_larger_maps_is_looked_at_on_one_of_the_space() -> None:
    class Even(Pool):
        def forward(self, values: Tensor) -> Tensor:
            if values.shape[2] % 2 or values.shape[3] % 2:
                raise ValueError("only even maps")
            mean: Tensor = self.pool(values)
            return mean

    Even.__qualname__ = "Even"
    assert said(Even, size=MapSize(6, 8), **pooled()) == ""
    false = pooled(sharing="none")
    assert "what is tied in W is both" in said(Even, size=MapSize(6, 8), **false)


def test_many_heads_are_looked_at_in_time() -> None:
    words = said(Gate, width=96, options={}, marks={"locality": "sliding", "kernel_size": 7})
    assert words.startswith("marks.locality: sliding of kernel size 7 is declared, and nothing")


def test_relatives_that_there_are_not() -> None:
    words = said(Gate, relatives={"DWS Conv": "", "no such": ""})
    assert words == "relatives: no operator is named 'no such'"


def test_a_factory_that_fails_for_an_option_is_not_blamed_on_the_tracing() -> None:
    class OnlyThree(Pool):
        def __init__(self, width: int, size: MapSize, kernel_size: int) -> None:
            if kernel_size != 3:
                raise AssertionError("five is not done")
            super().__init__(width, size, kernel_size)

    OnlyThree.__qualname__ = "OnlyThree"
    put(NAME, OnlyThree, options={"kernel_size": (3, 5)})
    with pytest.raises(InputError, match=r"factory: building it at width 8 .* five is not done"):
        custom_cost(CustomMixer(NAME, {"kernel_size": 5}), 8, MAP)


def test_what_another_process_cannot_import() -> None:
    class Inner(Pool):
        pass

    assert "is registered inside of a function" in said(Inner)
    forget(NAME)
    names = {"__name__": "__main__", "register_mixer": register_mixer, "Pool": Pool}
    exec(f"register_mixer({NAME!r})(Pool)", names)
    (problem,) = check_custom_mixer(CustomMixer(NAME), 8, MAP)
    assert "put it into a file beside it" in problem.message


def test_as_many_heads_as_channels_hide_no_mark() -> None:
    class Alike(Pool):
        def __init__(self, width: int, size: MapSize, heads: int, kernel_size: int) -> None:
            super().__init__(width, size, kernel_size)

    Alike.__qualname__ = "Alike"
    options = {"heads": 8, "kernel_size": 3}
    assert said(Alike, options=options, divide_width=["heads"], marks=POOLED) == ""


def test_options_that_do_not_divide_the_width() -> None:
    class Heads(Gate):
        def __init__(self, width: int, size: MapSize, heads: int) -> None:
            super().__init__(width, size)

    Heads.__qualname__ = "Heads"
    words = said(Heads, width=10, options={"heads": 4}, divide_width=["heads"])
    assert words == "heads: 4 does not divide the width 10"


# --- cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formulas", "words"),
    [
        ({"params": lambda width, size: width}, ""),
        (
            {"params": lambda width, size: 2 * width},
            "params: the formula gives 16 at width",
        ),
        (
            {"params": lambda width, size: width / 1},
            "the formula of 'test subject' gave 8.0",
        ),
        ({"params": lambda width, size: -1}, "params: the formula of 'test subject' gave -1"),
        (
            {"params": lambda width: 1},
            "at width 8 on 6×7 failed: TypeError",
        ),
        (
            {"macs": lambda width, size: 0},
            "macs: the formula gives 0 at width 8",
        ),
    ],
)
def test_formulas_are_held_to_the_module(formulas: dict[str, Any], words: str) -> None:
    def mixes(x: Tensor) -> Tensor:
        return F.conv2d(x, torch.ones(8, 8, 1, 1, device=x.device, dtype=x.dtype))

    found = by_function(mixes, **formulas)
    assert words in found
    assert bool(found) is bool(words)


def test_what_cannot_be_traced_needs_formulas() -> None:
    def looks(x: Tensor) -> Tensor:
        return x if x.sum().item() else -x

    assert "cannot be traced on the meta device" in by_function(looks)
    formulas = {"params": lambda width, size: width, "macs": lambda width, size: 0}
    assert by_function(looks, **formulas) == ""


# --- marks ----------------------------------------------------------------------------------------


def pooled(**changes: Any) -> dict[str, Any]:
    return {"options": {"kernel_size": 3}, "marks": POOLED | changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"locality": "global"}, "marks.locality: global of kernel size 3 is declared, and only"),
        (
            {"locality": "window"},
            "marks.locality: window of kernel size 3 is declared",
        ),
        ({"channels": "dense"}, "marks.channels: dense is declared, and channel 0 does not read 1"),
        ({"sharing": "none"}, "marks.sharing: none is declared, and what is tied in W is both"),
        (
            {"sharing": "position"},
            "position is declared, and what is tied in W is both",
        ),
        ({"dynamics": "attention"}, "marks.dynamics: attention is declared, and W does not depend"),
        ({"dynamics": "homogeneous"}, "W does not depend on the map: static"),
    ],
)
def test_marks_of_pooling(changes: dict[str, Any], words: str) -> None:
    found = said(Pool, **pooled(**changes))
    assert words in found
    assert len(found.splitlines()) == bool(words)


@pytest.mark.parametrize("kernel", [1, 5, 7, 13, 31])
def test_a_kernel_of_another_size_than_is_declared(kernel: int) -> None:
    class Fixed(Pool):
        def __init__(self, width: int, size: MapSize, kernel_size: int) -> None:
            super().__init__(width, size, 3)

    Fixed.__qualname__ = "Fixed"
    found = said(Fixed, options={"kernel_size": kernel}, marks=POOLED)
    assert "marks.locality: sliding of kernel size" in found


def test_marks_of_a_gate_are_those_of_its_context() -> None:
    marks = {
        "locality": "sliding",
        "kernel_size": 1,
        "channels": "separable",
        "sharing": "none",
        "dynamics": "inhomogeneous",
    }
    assert said(Gate, marks=marks) == ""
    assert "W depends at each position on that position alone: inhomogeneous" in said(
        Gate, marks=marks | {"dynamics": "static"}
    )


def test_a_module_that_is_not_linear_in_its_values_declares_nothing() -> None:
    assert by_function(torch.relu) == ""
    words = by_function(torch.relu, marks={"dynamics": "static"})
    assert words.startswith("marks: W is not to be seen: the result is not linear in the values")
    assert by_function(lambda x: x * x.mean((2, 3), keepdim=True), marks={"channels": "separable"})


LEGAL = [t for t in all_mixer_types() if t.rank == "full"]


def _mixer(mixer_type: MixerType) -> Mixer:
    sizes = {"kernel_size": 3, "groups": 2, "heads": 2}
    applicable = Mixer.applicable(*mixer_type.values)
    chosen = {name: size for name, size in sizes.items() if name in applicable}
    more = {"shift": False} if "shift" in applicable else {}
    return Mixer(*mixer_type.values, **chosen, **more)


@pytest.mark.parametrize("mixer_type", thorough_but_every(4, LEGAL), ids=lambda t: t.label)
@settings(max_examples=6)
@given(data=st.data())
def test_every_mixer_of_the_algebra_has_the_marks_of_its_axes_and_no_others(
    mixer_type: MixerType, data: st.DataObject
) -> None:
    mixer = _mixer(mixer_type)

    def factory(width: int, size: MapSize, **_: int) -> nn.Module:
        problems = width_problems(mixer, width)
        if problems:
            raise ValueError(str(problems[0]))
        return TokenMixer(mixer, width, size)

    factory.__qualname__ = "factory"
    options = {n: v for n in ("kernel_size", "groups", "heads") if (v := getattr(mixer, n))}
    declared = {
        "options": options,
        "divide_width": [n for n in ("groups", "heads") if n in options],
        "marks": {axis: getattr(mixer, axis) for axis in AXES if axis != "rank"},
    }
    axis = data.draw(st.sampled_from([a for a in AXES if a != "rank"]))
    other = data.draw(st.sampled_from([v for v in AXES[axis] if v != getattr(mixer, axis)]))
    forget(NAME)
    put(NAME, factory, **declared)
    assert check_custom_mixer(CustomMixer(NAME), 8, MAP) == []
    forget(NAME)
    more = {"options": options | {"kernel_size": 3, "groups": 2}}
    put(NAME, factory, **(declared | more | {"marks": declared["marks"] | {axis: other}}))
    found = check_custom_mixer(CustomMixer(NAME), 8, MAP)
    assert f"marks.{axis}" in {problem.where for problem in found}
