"""A built network for images of another size: what carries over, what is refused."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from space import BLOCK_TYPES, Architecture, InputError, Mixer, MixerType, cost, mixer_type_named
from space.axes import Dynamics, Locality, Rank
from space.custom import register_mixer
from space.custom.registry import forget
from space.geometry import MapSize
from space.networks import Network, build
from space.operators import TokenMixer
from tests.space.cells import (
    EDGES,
    assert_alike,
    every_mixer_type_and_block_type,
    off_their_first_values,
    small_network,
)

import timm  # isort: skip
from timm.layers import resize_rel_pos_bias_table  # isort: skip


def mixers(network: nn.Module) -> Iterator[TokenMixer]:
    return (part for part in network.modules() if isinstance(part, TokenMixer))


def unfolded(old: TokenMixer, size: MapSize) -> TokenMixer:
    """The same mixer on another map, with its weights, whatever is left to use of them."""
    other = TokenMixer(old.mixer, old.width, size, old.plan.shifted).eval()
    other.load_state_dict(old.state_dict())
    return other


def is_bound(mixer_type: MixerType) -> bool:
    """Weights of each position, or for each position of the map."""
    fixed = mixer_type.dynamics is Dynamics.STATIC
    if mixer_type.locality is Locality.GLOBAL:
        return fixed or mixer_type.dynamics is Dynamics.INHOMOGENEOUS
    shared = mixer_type.sharing.value in ("position", "both")
    return mixer_type.locality is Locality.SLIDING and fixed and not shared


def assert_is_its_architecture(network: Network) -> None:
    """A network that is built of the architecture takes the weights and computes the same."""
    fresh = build(network.architecture).eval()
    fresh.load_state_dict(network.state_dict())
    shape = network.architecture.input
    batch = torch.randn(2, shape.channels, shape.height, shape.width)
    assert torch.equal(fresh(batch), network(batch))
    params = sum(each.numel() for each in network.parameters())
    assert cost(network.architecture).params == params


@every_mixer_type_and_block_type()
def test_larger_images_or_a_refusal(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type, depth=2)
    parameters, before = dict(network.named_parameters()), network.state_dict()
    state, old = copy.deepcopy(before), copy.deepcopy(network)
    chance = torch.get_rng_state()
    if is_bound(mixer_type):
        with pytest.raises(InputError) as refusal:
            network.set_input_size((18, 15))
        assert [each.where for each in refusal.value.problems] == [
            "stages[0].blocks[0].mixer",
            "stages[0].blocks[1].mixer",
        ]
        label = old.architecture.mixers()[0].label
        message = f"{label} has weights for maps of 5×4 positions alone, and none for 9×8; build"
        assert refusal.value.problems[0].message.startswith(message)
        assert network.architecture == old.architecture
        batch = torch.randn(1, 2, *EDGES)
        assert torch.equal(network(batch), old(batch))
        return
    network.set_input_size((18, 15))
    assert torch.equal(torch.get_rng_state(), chance), "no random number is drawn"
    assert all(parameters[name] is each for name, each in network.named_parameters())
    assert all(torch.equal(state[name], each) for name, each in network.state_dict().items())
    assert (network.architecture.input.height, network.architecture.input.width) == (18, 15)
    assert_is_its_architecture(network)
    network.set_input_size(EDGES)
    batch = torch.randn(2, 2, *EDGES)
    assert torch.equal(network(batch), old(batch))


@every_mixer_type_and_block_type()
def test_smaller_images_use_what_is_left_of_the_weights(
    mixer_type: MixerType, block_type: str
) -> None:
    """Maps of 2×2: kernels of 3 and windows of 2 cover them."""
    network = small_network(mixer_type, block_type)
    old = copy.deepcopy(network)
    try:
        network.set_input_size(4)
    except InputError as refusal:
        # Reductions to a single source fold into what no inclusion leads to.
        assert is_bound(mixer_type) or mixer_type.rank is Rank.SPATIAL
        assert "build a network for that size" in str(refusal)  # noqa: PT017
        assert network.architecture == old.architecture
        return
    assert not is_bound(mixer_type)
    assert_is_its_architecture(network)
    values, context = torch.randn(2, 3, 8, 2, 2)
    for ours, theirs in zip(mixers(network), mixers(old), strict=True):
        expected = unfolded(theirs, MapSize(2, 2))(values, context)
        assert_alike(ours(values, context), expected)


def test_no_change_is_none_even_for_bound_weights() -> None:
    network = small_network(mixer_type_named("mlp"), "prenorm")
    before = list(network.modules())
    network.set_input_size(EDGES)
    network.set_input_size()
    assert all(one is other for one, other in zip(network.modules(), before, strict=True))


def attention(**fields: Any) -> Network:
    """Windows of 4 with a table of positions, on maps of 12×8 and 6×4."""
    mixer = Mixer.named("local vit", kernel_size=4, heads=2, **fields)
    stage = {"depth": 2, "width": 8, "mlp_ratio": 2, "mixers": [mixer.to_dict()]}
    torch.manual_seed(0)
    network = build(
        Architecture.from_dict(
            {
                "input": {"channels": 2, "height": 24, "width": 16},
                "stem": {"patch_size": 2},
                "block_type": "prenorm",
                "stages": [stage, stage],
                "head": {"classes": 3},
            }
        )
    ).eval()
    off_their_first_values(network)
    return network


def tables(network: nn.Module) -> list[Tensor]:
    return [each for name, each in network.named_parameters() if name.endswith("position_bias")]


def test_windows_change_if_asked_to_and_tables_as_timms() -> None:
    network = attention()
    old = [table.detach().clone() for table in tables(network)]
    network.set_input_size((36, 24), window_size=6)
    assert [mixer.mixer.kernel_size for mixer in mixers(network)] == [6, 6, 6, 6]
    for table, before in zip(tables(network), old, strict=True):
        assert torch.equal(table, resize_rel_pos_bias_table(before, (6, 6), (121, 2), (4, 4)))
    assert_is_its_architecture(network)
    network.set_input_size(window_size=(None, 3))
    assert [mixer.mixer.kernel_size for mixer in mixers(network)] == [6, 6, 3, 3]
    assert_is_its_architecture(network)


def test_windows_are_no_larger_than_the_map() -> None:
    network = attention()
    network.set_input_size(window_size=(31, 31))
    assert [mixer.mixer.kernel_size for mixer in mixers(network)] == [12, 12, 6, 6]
    assert_is_its_architecture(network)


def test_frozen_parameters_stay_frozen() -> None:
    network = attention().requires_grad_(False)
    network.set_input_size(8, window_size=2)
    assert not any(each.requires_grad for each in network.parameters())


def test_windows_of_fixed_weights_do_not_change() -> None:
    network = small_network(mixer_type_named("local mlp"), "prenorm")
    with pytest.raises(InputError, match="has weights for windows of 2 alone, and none for 3"):
        network.set_input_size(window_size=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"img_size": "64"}, "img_size: '64' is no edge and no"),
        ({"img_size": (1, 2, 3)}, r"img_size: \(1, 2, 3\) is no edge"),
        ({"img_size": 0}, "img_size.height: "),
        ({"img_size": (8, True)}, "img_size.width: "),
        ({"window_size": "7"}, "window_size: '7' is not allowed"),
        ({"window_size": (7,)}, "an edge, or one for each of 2 stages"),
        ({"window_size": (7, 0)}, r"window_size\[1\]: 0 is not allowed; 1 to 31, or None"),
        ({"window_size": 32}, r"window_size\[0\]: 32 is not allowed"),
    ],
)
def test_odd_sizes_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        attention().set_input_size(**options)


def test_a_mixer_of_ones_own_is_built_anew_with_its_weights() -> None:
    @register_mixer("test sized")
    class Sized(nn.Module):
        def __init__(self, width: int, size: MapSize) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.randn(width, 1, 1))
            self.register_buffer("place", torch.arange(size.height * 1.0), persistent=False)

        def forward(self, values: Tensor) -> Tensor:
            return values * self.scale + self.place[:, None]

    try:
        values = attention().architecture.to_dict()
        for stage in values["stages"]:
            stage["mixers"] = [{"custom": "test sized"}]
        network = build(Architecture.from_dict(values)).eval()
        network.set_input_size((12, 10))
        assert network(torch.randn(1, 2, 12, 10)).shape == (1, 3)
        assert_is_its_architecture(network)
    finally:
        forget("test sized")


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_a_network_on_the_meta_device_can_be_resized(block_type: str) -> None:
    network = small_network(mixer_type_named("local vit"), block_type)
    with torch.device("meta"):
        other = build(network.architecture).eval()
    for each in (network, other):
        each.set_input_size((16, 12))
    other.load_state_dict(network.state_dict(), assign=True)
    batch = torch.randn(1, 2, 16, 12)
    assert torch.equal(other(batch), network(batch))


@pytest.mark.thorough
def test_swin_for_smaller_images_is_timms_with_the_same_windows() -> None:
    """timm's case: its own Swin interpolates, this one keeps what is left of the tables."""
    model: Any = timm.create_model("mixspace_swin_tiny", img_size=56, num_classes=4).eval()
    model.set_input_size((48, 40))
    assert model(torch.randn(1, 3, 48, 40)).shape == (1, 4)
    assert_is_its_architecture(model)
    assert timm.models.get_model_input_config(model)["input_size"] == (3, 48, 40)


@pytest.mark.slow
def test_a_network_that_is_cut_for_its_features_can_be_resized() -> None:
    cut: Any = timm.create_model(
        "mixspace_swin_tiny", img_size=56, features_only=True, out_indices=(0, 1)
    )
    cut.model.set_input_size(48)
    assert [x.shape[2] for x in cut(torch.randn(1, 3, 48, 48))] == [12, 6]
