"""What tracing on the meta device sees of a custom mixer, and what is said where it cannot."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space import CustomMixer, InputError, MapSize
from space.cost.custom_cost import TracedMemory
from space.custom.registry import forget
from space.operators.custom import CustomTokenMixer, built, map_names
from space.operators.custom_checks import check_size
from space.operators.custom_marks import _shares_channels, _Sight
from space.operators.layers import DropPath
from space.operators.per_image import _by_taps, _in_groups
from space.operators.tracing import traced_cost, traced_memory
from tests.space.own_mixers import Gate, of, put

NAME = "test subject"
MAP = MapSize(6, 7)
BYTES = 4 * 8 * 6 * 7
"""Of a map of 8 channels in float32."""


@pytest.fixture(autouse=True)
def nobody_registered() -> Iterator[None]:
    forget(NAME)
    yield
    forget(NAME)


def mixer(factory: Any, **declared: Any) -> CustomMixer:
    forget(NAME)
    put(NAME, factory, **declared)
    return CustomMixer(NAME)


# --- memory ---------------------------------------------------------------------------------------


def test_what_a_gate_saves_holds_and_moves() -> None:
    found = traced_memory(mixer(Gate), 8, MAP, 2)
    both = 2 * BYTES
    assert (found.saves_values, found.saves_context, found.saves_result) == (True, True, False)
    assert found.saved == both  # the gate
    assert found.peak == 2 * both  # the convolution and the gate, the gate and the result
    weights = 4 * (8 * 8 + 8)
    assert found.moved == (2 * both + weights) + 2 * both + 3 * both


def test_a_view_moves_nothing() -> None:
    def turned(x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2).transpose(1, 2).unflatten(2, (6, 7)).detach() + 0

    assert traced_memory(mixer(of(turned)), 8, MAP, 1).moved >= 2 * BYTES
    plain = traced_memory(mixer(of(lambda x: x + 0)), 8, MAP, 1)
    viewed = traced_memory(mixer(of(lambda x: x.view_as(x).flip(0)[:] + 0)), 8, MAP, 1)
    assert viewed.moved == plain.moved + 2 * BYTES  # of flip, which is no view
    assert viewed.peak == plain.peak + BYTES


class HandsOn(nn.Module):
    """One of its maps as it is, or its own numbers."""

    def __init__(self, width: int, size: MapSize, what: str) -> None:
        super().__init__()
        self.what = what
        shape = 1, width, size.height, size.width
        self.weight = nn.Parameter(torch.ones(shape))
        self.register_buffer("kept", torch.ones(shape))

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        chosen = {"values": values, "context": context, "weight": self.weight, "kept": self.kept}
        return chosen[self.what].view_as(values)


@pytest.mark.parametrize("what", ["values", "context", "weight", "kept"])
def test_what_is_there_anyway_is_not_held_for_a_mixer(what: str) -> None:
    found = traced_memory(mixer(HandsOn, options={"what": what}), 8, MAP, 1)
    assert (found.peak, found.moved, found.saved) == (0, 0, 0)


def test_operations_are_called_as_the_module_calls_them() -> None:
    def cut(x: Tensor) -> Tensor:
        return x + torch.zeros_like(x, dtype=torch.float64).sum(dim=1, keepdim=True).float()

    assert traced_memory(mixer(of(cut)), 8, MAP, 1).peak >= 2 * BYTES


def test_statistics_of_one_value_are_those_of_evaluation() -> None:
    class Norm(nn.Module):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(width)

        def forward(self, values: Tensor) -> Tensor:
            y: Tensor = self.norm(values)
            return y

    Norm.__qualname__ = "Norm"
    found = traced_memory(mixer(Norm), 8, MapSize(1, 1), 1)
    assert isinstance(found, TracedMemory)
    assert found.saves_values
    assert found.moved > 0


class Looks(nn.Module):
    """Looks at numbers; and at the size of its map, as a factory may."""

    def __init__(self, width: int, size: MapSize) -> None:
        super().__init__()
        self.positions = size.height * size.width * width

    def forward(self, values: Tensor) -> Tensor:
        return values if values.sum().item() else -values


def test_what_cannot_be_traced_says_how_to_do_without() -> None:
    subject = mixer(Looks)
    for trace in (traced_cost, lambda *where: traced_memory(*where, 2)):
        with pytest.raises(InputError) as refused:
            trace(subject, 8, MAP)
        message = str(refused.value)
        assert message.startswith(
            "mixer: 'test subject' at width 8 on 6×7 cannot be traced on the meta device: "
        )
        assert message.endswith(
            ". Formulas of its cost (`params=`, `macs=`) need no tracing, memory limits do"
        )
        assert refused.value.__cause__ is not None


def test_a_factory_that_fails_is_blamed() -> None:
    def breaks(width: int, size: MapSize) -> nn.Module:
        raise RuntimeError("only for 96\nand no other")

    breaks.__qualname__ = "breaks"
    with pytest.raises(InputError) as refused:
        traced_memory(mixer(breaks), 8, MAP, 2)
    said = "factory: building it at width 8 on 6×7 fails: RuntimeError: only for 96"
    assert str(refused.value) == said


# --- checks ---------------------------------------------------------------------------------------


def test_a_shape_that_changes_at_another_width_alone_is_met() -> None:
    formulas: dict[str, Any] = {"params": lambda width, size: width}
    subject = mixer(of(lambda x: x[:, :8]), **formulas)
    assert check_size(subject, 8, MAP) == []
    (problem,) = check_size(subject, 12, MAP)
    assert str(problem) == (
        "forward: changes the shape of the map: from [1, 12, 6, 7] to [1, 8, 6, 7]"
    )


def test_a_factory_that_refuses_is_heard() -> None:
    def refuses(width: int, size: MapSize) -> nn.Module:
        raise InputError.of("width", "must be 96")

    refuses.__qualname__ = "refuses"
    with pytest.raises(InputError, match=r"^width: must be 96$"):
        built(mixer(refuses), 8, MAP)


def test_heads_that_do_not_divide_the_channels_share_nothing() -> None:
    class Alike(nn.Module):
        def __init__(self, width: int, size: MapSize, heads: int) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, values: Tensor) -> Tensor:
            return values * self.weight

    Alike.__qualname__ = "Alike"
    expected = {3: False, 8: False, 2: True, 1: True}
    for heads, shared in expected.items():
        subject = mixer(Alike, options={"heads": heads})
        assert _shares_channels(_Sight(subject, 8, MapSize(2, 3))) is shared


def test_what_says_nothing_of_its_maps_is_given_one() -> None:
    class Plain(nn.Module):
        forward = torch.relu

    assert map_names(Plain()) == []


def test_words_of_layers() -> None:
    module = CustomTokenMixer(mixer(Gate), 8, MAP)
    assert module.extra_repr() == "test subject, 8 channels, 6×7"
    assert DropPath(0.25).extra_repr() == "rate=0.25"


# --- kernels of an image's own --------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 2, 6])
def test_by_taps_is_the_same_as_in_groups(groups: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 6, 5, 4, dtype=torch.float64)
    kernels = torch.randn(2, 6, 6 // groups, 3, 3, dtype=torch.float64)
    expected = _in_groups(x, kernels, groups)
    torch.testing.assert_close(_by_taps(x, kernels, groups), expected)
    alone = torch.nn.functional.conv2d(x[1:], kernels[1], padding=1, groups=groups)
    torch.testing.assert_close(expected[1:], alone)
