"""The zoo's networks beside timm's own Swin and ConvNeXt, in everything but the weights."""

from typing import Any

import pytest
import torch
from torch import nn

import space.zoo as zoo  # first: it makes timm importable beside a CPU build of torch
from space import InputError, cost
from tests.support.thorough import thorough_but_every

import timm  # isort: skip

PAIRS = {"swin_tiny": "swin_tiny_patch4_window7_224", "convnext_tiny": "convnext_tiny"}
THEIRS_IS_LAST = {"swin_tiny"}
"""Networks whose maps timm has with the channels last."""
OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_classes": 0},
    {"num_classes": 5, "in_chans": 1},
    {"num_classes": 0, "global_pool": ""},
    {"num_classes": 5, "global_pool": ""},
    {"global_pool": "max", "drop_rate": 0.5, "drop_path_rate": 0.1},
]


def both(name: str, **options: Any) -> tuple[Any, Any]:
    theirs = timm.create_model(PAIRS[name], **options).eval()
    return timm.create_model(f"mixspace_{name}", **options).eval(), theirs


def params(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def shape(name: str, theirs: torch.Tensor) -> tuple[int, ...]:
    """The shape of timm's result, channels first."""
    last = name in THEIRS_IS_LAST and theirs.dim() == 4
    return tuple((theirs.movedim(-1, 1) if last else theirs).shape)


def assert_alike(name: str, ours: Any, theirs: Any, images: torch.Tensor) -> None:
    for field in ("num_classes", "num_features", "head_hidden_size", "in_chans"):
        assert getattr(ours, field) == getattr(theirs, field), field
    assert ours.head.global_pool.pool_type == theirs.head.global_pool.pool_type
    assert ours.head.drop.p == theirs.head.drop.p
    assert isinstance(ours.get_classifier(), nn.Identity) == (theirs.num_classes == 0)
    assert params(ours) == params(theirs)
    with torch.no_grad():
        features, logits = ours.forward_features(images), ours(images)
        their_features = theirs.forward_features(images)
        assert tuple(features.shape) == shape(name, their_features)
        assert tuple(logits.shape) == shape(name, theirs(images))
        before = ours.forward_head(features, pre_logits=True)
        pooled = theirs.forward_head(their_features, pre_logits=True)
        assert tuple(before.shape) == shape(name, pooled)
        torch.testing.assert_close(ours.forward_head(features), logits)


def assert_true_architecture(model: Any) -> None:
    spent = cost(model.architecture)
    assert (spent.params, model.architecture.head.classes) == (params(model), model.num_classes)


@pytest.mark.parametrize("options", thorough_but_every(2, OPTIONS), ids=str)
@pytest.mark.parametrize("name", PAIRS)
def test_options_do_what_timms_do(name: str, options: dict[str, Any]) -> None:
    with torch.device("meta"):
        ours, theirs = both(name, **options)
        images = torch.empty(2, options.get("in_chans", 3), 224, 224)
        assert_alike(name, ours, theirs, images)
    assert_true_architecture(ours)


@pytest.mark.thorough
@pytest.mark.parametrize("name", PAIRS)
def test_a_new_classifier_is_timms(name: str) -> None:
    with torch.device("meta"):
        ours, theirs = both(name, num_classes=7)
        for arguments in ((0,), (3,), (0, ""), (4, "max"), (2,), (2, "")):
            for model in (ours, theirs):
                model.reset_classifier(*arguments)
            assert_alike(name, ours, theirs, torch.empty(1, 3, 224, 224))
            assert_true_architecture(ours)


@pytest.mark.parametrize("indices", [(0, 1, 2, 3), (0, 2), (1,), (-1,), (-3, -2), 2])
@pytest.mark.parametrize("name", thorough_but_every(2, PAIRS))
def test_features_and_what_is_cut_away_are_timms(name: str, indices: Any) -> None:
    with torch.device("meta"):
        ours, theirs = both(name, features_only=True, out_indices=indices)
        maps = [tuple(x.shape) for x in ours(torch.empty(1, 3, 224, 224))]
    info = theirs.feature_info
    assert ours.feature_info.channels() == info.channels() == [shape[1] for shape in maps]
    assert ours.feature_info.reduction() == info.reduction() == [224 // s[2] for s in maps]
    assert params(ours) == params(theirs)


@pytest.mark.parametrize("name", [*PAIRS, "dynamic_dwnet_tiny"])
def test_every_parameter_of_a_feature_network_is_used(name: str) -> None:
    """A parameter without a gradient stops distributed training."""
    options = {"img_size": 64, "features_only": True, "out_indices": (0, 2)}
    model = timm.create_model(f"mixspace_{name}", **options)
    sum(x.sum() for x in model(torch.randn(1, 3, 64, 64))).backward()  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert not hasattr(model.model, "architecture"), "what was cut is no point of the space"


def test_cutting_nothing_but_the_head_leaves_a_point() -> None:
    model: Any = timm.create_model("mixspace_swin_tiny", img_size=64)
    assert model.prune_intermediate_layers((1, 3)) == [1, 3]
    assert_true_architecture(model)
    assert model(torch.randn(1, 3, 64, 64)).shape == (1, 768, 2, 2)


@pytest.mark.parametrize("name", PAIRS)
def test_intermediates_are_normed_as_timm_does(name: str) -> None:
    model: Any = timm.create_model(f"mixspace_{name}", img_size=64).eval()
    images = torch.randn(1, 3, 64, 64)
    end, (first, last) = model.forward_intermediates(images, indices=(0, 3), norm=True)
    torch.testing.assert_close(end, model.forward_features(images))
    torch.testing.assert_close(last, end)
    plain = model.forward_intermediates(images, indices=(0, 3), intermediates_only=True)
    torch.testing.assert_close(plain[0], first)
    assert torch.equal(plain[1], last) == (name == "convnext_tiny")
    early = model.forward_intermediates(images, indices=(0,), stop_early=True)
    torch.testing.assert_close(early[0], first)


def test_dropout_is_on_the_way_to_the_classifier() -> None:
    model: Any = timm.create_model("mixspace_convnext_tiny", img_size=64, drop_rate=0.5)
    features = model.eval().forward_features(torch.randn(1, 3, 64, 64))
    whole = model.forward_head(features, pre_logits=True)
    dropped = model.train().forward_head(features, pre_logits=True)
    zero = dropped == 0
    assert 0.3 < zero.float().mean() < 0.7
    torch.testing.assert_close(dropped[~zero], 2 * whole[~zero])


def test_a_new_classifier_is_where_the_network_is() -> None:
    model: Any = timm.create_model("mixspace_resmlp_like", num_classes=2).double().eval()
    model.reset_classifier(3)
    classifier = model.get_classifier()
    assert (classifier.weight.dtype, classifier.training) == (torch.float64, False)


@pytest.mark.parametrize(
    "options",
    [{"global_pool": "catavgmax"}, {"global_pool": 3}, {"drop_rate": 1.0}, {"num_classes": True}],
    ids=str,
)
def test_odd_options_are_refused(options: dict[str, Any]) -> None:
    (field,) = options
    with pytest.raises(InputError, match=f"{field}: .* is not"):
        timm.create_model("mixspace_resmlp_like", **options)
    model: Any = timm.create_model("mixspace_resmlp_like", num_classes=2)
    if field != "drop_rate":
        with pytest.raises(InputError, match=f"{field}: .* is not"):
            model.reset_classifier(**{"num_classes": 2} | options)
    assert_true_architecture(model)


def test_a_network_of_the_zoo_without_classes_ends_with_its_features() -> None:
    network = zoo.create("resmlp_like", num_classes=0)
    assert network(torch.randn(2, 3, 224, 224)).shape == (2, network.architecture.stages[-1].width)
    assert cost(network.architecture).params == params(network)
