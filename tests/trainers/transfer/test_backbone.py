"""Networks of every mixer type as backbones: images of any size, or a clear refusal."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from space import (
    BLOCK_TYPES,
    Architecture,
    InputError,
    MixerType,
    all_mixer_types,
    mixer_type_named,
)
from space.morphisms.any_size import AnySize
from space.networks import Network, build
from space.operators import TokenMixer
from tests.space.cells import every_mixer_type, off_their_first_values
from tests.space.test_every_mixer_type_trains import mixer_fields
from tests.space.test_set_input_size import is_bound
from tests.trainers.tiny import architecture
from trainers.transfer.backbone import Backbone, refuse_as_backbone
from trainers.transfer.recipe import DetectionRecipe
from trainers.transfer.source import BackboneSource

RECIPE = DetectionRecipe(epochs=1)
SIZES = ((18, 14), (12, 24), (18, 14))
"""Of images, one after the other; the network is built for another."""


def small_network(mixer_type: MixerType, block_type: str) -> Network:
    """One stage of two blocks, for images of 9 × 7, in eval mode."""
    stage = {"depth": 2, "width": 8, "mlp_ratio": 2, "mixers": [mixer_fields(mixer_type)]}
    network = build(
        Architecture.from_dict(
            {
                "input": {"channels": 3, "height": 9, "width": 7},
                "stem": {"patch_size": 2},
                "block_type": block_type,
                "stages": [stage],
                "head": {"classes": 3},
            }
        ),
        seed=0,
    ).eval()
    off_their_first_values(network)
    return network


def source_of(network: Network) -> BackboneSource:
    weights = copy.deepcopy(network.state_dict())
    return BackboneSource(network.architecture, weights, (0.5,) * 3, (0.2,) * 3, "a test")


def backbone(network: Network, **changes: Any) -> Backbone:
    options = {"frozen": False, "norms": False} | changes
    return Backbone(source_of(network), RECIPE, **options).eval()


def rebuilt(network: Network, height: int, width: int) -> Network:
    """The network with each mixer built anew for the maps of another size, and its weights."""
    other = copy.deepcopy(network)
    maps = Architecture.from_dict(
        network.architecture.to_dict()
        | {"input": {"channels": 3, "height": height, "width": width}}
    ).stage_sizes()
    for size, stage in zip(maps, other.stages, strict=True):
        for path, part in list(stage.named_modules()):
            if isinstance(part, TokenMixer):
                new = TokenMixer(part.mixer, part.width, size, part.plan.shifted).eval()
                new.load_state_dict(part.state_dict())
                above, _, child = path.rpartition(".")
                setattr(stage.get_submodule(above), child, new)
    return other


@every_mixer_type()
def test_every_mixer_type_takes_any_size_or_is_refused(mixer_type: MixerType) -> None:
    place = all_mixer_types().index(mixer_type)
    network = small_network(mixer_type, BLOCK_TYPES[place % 3])
    if is_bound(mixer_type):
        with pytest.raises(InputError) as refused:
            refuse_as_backbone(network.architecture)
        assert "has weights for maps of" in str(refused.value)
        assert refused.value.problems[0].where.startswith("architecture.stages[0].blocks[0].")
        with pytest.raises(InputError):
            backbone(network)
        return
    refuse_as_backbone(network.architecture)
    found = backbone(network)
    for height, width in SIZES:
        images = torch.randn(2, 3, height, width)
        (made,) = found(images).values()
        (expected,) = rebuilt(network, height, width).forward_stages(images)
        torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-6)


def test_most_mixer_types_are_backbones() -> None:
    assert sum(not is_bound(each) for each in all_mixer_types()) == 47


@pytest.mark.parametrize("name", ["local vit", "dynamic dw-s conv.", "vit"])
def test_parameters_and_statistics_stay_the_same_objects(name: str) -> None:
    network = small_network(mixer_type_named(name), "conv")
    found = backbone(network).train()
    found.keeps_statistics = False
    found.train()
    parameters = {id(each) for each in found.parameters()}
    for height, width in SIZES:
        before = [each.clone() for each in found.buffers() if each.is_floating_point()]
        (made,) = found(torch.randn(2, 3, height, width)).values()
        made.square().mean().backward()
        assert {id(each) for each in found.parameters()} == parameters
        after = [each for each in found.buffers() if each.is_floating_point()]
        assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert all(each.grad is not None for each in found.network.stages.parameters())


def test_sizes_follow_a_move_to_another_type_of_numbers() -> None:
    """Statistics of mixers that were kept for a size are those that moved."""
    found = backbone(small_network(mixer_type_named("dynamic local-s mlp"), "conv"))
    image = torch.randn(1, 3, 18, 14)
    (before,) = found(image).values()
    (after,) = found.double()(image.double()).values()
    torch.testing.assert_close(after.float(), before, rtol=1e-5, atol=1e-6)


def test_maps_have_their_strides_whatever_the_size() -> None:
    found = Backbone(
        BackboneSource.random(architecture(channels=3, size=32)), RECIPE, frozen=False, norms=True
    )
    assert (found.strides, found.widths) == ((4, 8), (8, 16))
    maps = found(torch.randn(1, 3, 33, 21))
    assert {name: tuple(each.shape) for name, each in maps.items()} == {
        "0": (1, 8, 10, 6),
        "1": (1, 16, 5, 3),
    }


def test_a_network_for_grey_images_sees_the_luminance() -> None:
    found = Backbone(
        BackboneSource.random(architecture(channels=1, size=28)), RECIPE, frozen=True, norms=False
    )
    grey = torch.rand(1, 1, 32, 32)
    same = found.network.forward_stages(grey)
    for made, expected in zip(found(grey.expand(1, 3, 32, 32)).values(), same, strict=True):
        torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("channels", [2, 4])
def test_other_channels_are_refused(channels: int) -> None:
    with pytest.raises(InputError, match="three colours"):
        refuse_as_backbone(architecture(channels=channels, size=28))


def test_frozen_means_nothing_of_the_network_changes() -> None:
    found = Backbone(
        BackboneSource.random(architecture(channels=3, size=32)), RECIPE, frozen=True, norms=True
    ).train()
    assert not any(part.training for part in found.network.modules())
    before = copy.deepcopy(found.network.state_dict())
    sum(each.sum() for each in found(torch.randn(2, 3, 32, 32)).values()).backward()
    assert all(each.grad is None for each in found.network.parameters())
    assert all(each.grad is not None for each in found.norms.parameters())
    for name, value in found.network.state_dict().items():
        assert torch.equal(value, before[name])


def batch_norm_modes(found: Backbone) -> set[bool]:
    return {part.training for part in found.modules() if isinstance(part, nn.BatchNorm2d)}


def test_batch_norms_keep_the_statistics_of_a_training_and_of_no_random_weights() -> None:
    network = build(architecture(channels=3, size=32), seed=0)
    kept = backbone(network).train()
    by_batch = Backbone(
        source_of(network),
        RECIPE.model_copy(update={"batch_norm": "batch"}),
        frozen=False,
        norms=False,
    )
    random = Backbone(
        BackboneSource.random(network.architecture), RECIPE, frozen=False, norms=False
    )
    modes = [batch_norm_modes(each.train()) for each in (kept, by_batch, random)]
    assert modes == [{False}, {True}, {True}]


def test_drop_path_is_the_recipes_and_none_where_it_is_frozen() -> None:
    recipe = RECIPE.model_copy(update={"drop_path": 0.3})
    source = BackboneSource.random(architecture(channels=3, size=32))
    rates = [
        max(getattr(part, "rate", 0.0) for part in each.modules())
        for each in (
            Backbone(source, recipe, frozen=frozen, norms=False) for frozen in (False, True)
        )
    ]
    assert rates == [0.3, 0.0]


def test_checkpointing_gives_the_same_gradients_at_changing_sizes() -> None:
    network = small_network(mixer_type_named("local vit"), "prenorm")
    recipe = RECIPE.model_copy(update={"grad_checkpointing": True})
    plain = backbone(network)
    spared = Backbone(source_of(network), recipe, frozen=False, norms=False)
    assert spared.network.grad_checkpointing
    for height, width in SIZES:
        images = torch.randn(2, 3, height, width)
        for each in (plain, spared):
            sum(made.square().sum() for made in each(images).values()).backward()
    for one, other in zip(plain.parameters(), spared.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(other.grad, one.grad)


def test_a_size_that_was_validated_on_can_be_trained_on() -> None:
    found = backbone(small_network(mixer_type_named("local vit"), "prenorm"))
    images = torch.randn(1, 3, 18, 14)
    with torch.inference_mode():
        found(images)
    (made,) = found.train()(images).values()
    made.sum().backward()


def test_only_so_many_sizes_are_kept() -> None:
    network = build(small_network(mixer_type_named("local vit"), "prenorm").architecture)
    sizes = AnySize(network)
    for edge in range(8, 60, 2):
        sizes.fit(edge, edge)
    assert len(sizes._kept) == 8
