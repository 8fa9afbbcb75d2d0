"""What scripts written for timm do to a model, done to the networks of the zoo."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from tests.space.cells import assert_alike, off_their_first_values
from tests.space.test_set_input_size import assert_is_its_architecture

import timm  # isort: skip
from timm.models._manipulate import reinit_non_persistent_buffers  # isort: skip

TINY = timm.list_models("mixspace_*tiny*") + timm.list_models("mixspace_*like*")


def model_of(name: str, **options: Any) -> Any:
    torch.manual_seed(0)
    model = timm.create_model(name, img_size=32, num_classes=4, **options).eval()
    off_their_first_values(model, by=0.01)
    return model


def batch_of(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 32, 32)


@pytest.mark.slow
def test_checkpointing_changes_neither_features_nor_intermediates() -> None:
    """In train mode, where the norms of a checkpointed block see a batch twice."""
    found: list[dict[str, Tensor]] = []
    for enable in (False, True):
        model = model_of("mixspace_dynamic_dwnet_tiny").train()
        model.set_grad_checkpointing(enable=enable)
        torch.manual_seed(1)
        end, maps = model.forward_intermediates(batch_of(), indices=(0, 2), norm=True)
        sum(x.square().mean() for x in (end, *maps)).backward()
        state = {name: each.clone() for name, each in model.named_buffers()}
        found.append(state | {name: each.grad for name, each in model.named_parameters()})
    for name, expected in found[0].items():
        assert expected is found[1][name] is None or torch.equal(found[1][name], expected), name


@pytest.mark.slow
def test_a_feature_network_can_be_checkpointed() -> None:
    options = {"img_size": 32, "features_only": True, "out_indices": (0, 2)}
    model: Any = timm.create_model("mixspace_swin_tiny", **options)
    model.model.set_grad_checkpointing(True)  # timm's wrapper has no switch of its own
    sum(x.sum() for x in model(batch_of())).backward()
    assert all(each.grad is not None for each in model.parameters())


@pytest.mark.thorough
def test_timm_fills_what_no_checkpoint_has() -> None:
    model = model_of("mixspace_swin_tiny")
    batch, expected = batch_of(), model.state_dict()
    with torch.device("meta"):
        other: Any = timm.create_model("mixspace_swin_tiny", img_size=32, num_classes=4).eval()
    other = other.to_empty(device="cpu")
    with torch.no_grad():
        for name, value in other.state_dict().items():
            value.copy_(expected[name])
    filled = reinit_non_persistent_buffers(other)
    assert len(filled) == model.architecture.depth
    assert torch.equal(other(batch), model(batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_features_by_fx_are_those_of_the_network(name: str) -> None:
    options: dict[str, Any] = {"img_size": 32, "features_only": True}
    torch.manual_seed(0)
    plain: Any = timm.create_model(name, **options).eval()
    torch.manual_seed(0)
    traced: Any = timm.create_model(name, feature_cls="fx", **options).eval()
    batch = batch_of()
    for ours, theirs in zip(traced(batch), plain(batch), strict=True):
        assert_alike(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_every_habit_of_every_network(name: str) -> None:
    model, batch = model_of(name), batch_of()
    expected = model(batch)
    assert expected.isfinite().all()
    for made in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(made(batch), expected)
    assert model(batch_of(0)).shape == (0, 4)
    images = batch.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(images).square().sum(), images, create_graph=True)
    slope.square().sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()

    def loss(own: dict[str, Tensor], image: Tensor) -> Tensor:
        return functional_call(model, own, (image[None],)).square().sum()

    classifier = {"head.classify.bias": model.head.classify.bias}
    each = vmap(grad(loss), (None, 0))(classifier, batch)["head.classify.bias"]
    assert_alike(each, 2 * expected, 1e-4)
    model.set_input_size(32)
    assert_is_its_architecture(model)
