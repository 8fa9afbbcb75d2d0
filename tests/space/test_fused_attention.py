"""Attention without the weights between positions: as the plain composition, and smaller."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import forward_ad, grad, gradgradcheck
from torch.func import functional_call, vmap
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import (
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
)
from torch.utils.flop_counter import FlopCounterMode

from space import Mixer
from space.geometry import MapSize
from space.operator_choice import Choice, operators
from space.operators import TokenMixer
from space.operators.attention import attended
from tests.space.memory_oracles import saved_bytes

MIXERS = [
    pytest.param(Mixer.named("ViT", heads=2), id="ViT"),
    pytest.param(Mixer.named("PVT", heads=2, ratio=2), id="PVT"),
    pytest.param(
        Mixer.named("Local ViT", kernel_size=3, heads=2, position_bias=False, shift=False),
        id="windows without a bias",
    ),
    pytest.param(Mixer.named("Local ViT", kernel_size=3, heads=2), id="windows, moved"),
    pytest.param(Mixer.named("Local ViT", kernel_size=4, heads=1), id="windows over the border"),
    pytest.param(
        Mixer.named("Local ViT", kernel_size=3, heads=2, position_bias=False),
        id="windows that are apart alone",
    ),
    pytest.param(
        Mixer.named("Local ViT", kernel_size=3, heads=4, shift=False), id="windows with a bias"
    ),
]


def made(mixer: Mixer, edge: int = 6) -> TokenMixer:
    """Every second block's, whose windows are moved."""
    torch.manual_seed(0)
    module = TokenMixer(mixer, 8, MapSize(edge, edge), shifted=True).double()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def images(batch: int = 3) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(batch, 8, 6, 6, dtype=torch.float64, requires_grad=True)


def graph_of(y: Tensor) -> list[Any]:
    """All nodes that a gradient of y goes through."""
    nodes, seen = [y.grad_fn], []
    while nodes:
        node = nodes.pop()
        if node is not None and node not in seen:
            seen.append(node)
            nodes.extend(each for each, _ in node.next_functions)
    return seen


def results(module: TokenMixer, x: Tensor, choice: Choice) -> list[Tensor]:
    """The output, all gradients, and theirs."""
    with operators(choice):
        y = module(x)
        wanted = [x, *module.parameters()]
        weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
        first = grad((y * weights).square().sum(), wanted, create_graph=True)
        second = grad(sum(each.square().sum() for each in first), wanted)
        alone = grad((module(x) * weights).square().sum(), wanted)
    return [y.detach(), *(each.detach() for each in first), *second, *alone]


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("batch", [1, 3])
def test_outputs_and_gradients_are_those_of_the_composition(mixer: Mixer, batch: int) -> None:
    module, x = made(mixer), images(batch)
    pairs = zip(results(module, x, "fused"), results(module, x, "plain"), strict=True)
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mixer", MIXERS)
def test_half_precision_is_near_to_it(mixer: Mixer) -> None:
    module, x = made(mixer).float(), images().detach().float()
    with operators("plain"):
        expected = module(x)
    with operators("fused"), torch.autocast("cpu", torch.bfloat16):
        found = module(x)
    torch.testing.assert_close(found.float(), expected, rtol=0.1, atol=0.1)


def test_no_weight_between_two_positions_is_kept() -> None:
    module, x = made(Mixer.named("ViT", heads=2), 24).float(), torch.randn(2, 8, 24, 24)
    weights = 2 * 2 * 24**4 * 4
    with operators("auto"):
        fused = saved_bytes(module, x)
    with operators("plain"):
        plain = saved_bytes(module, x)
    assert plain > weights
    assert fused < weights / 10


def test_small_maps_take_the_plain_path_where_nothing_else_is_asked_for() -> None:
    """There the call costs more than the weights."""
    module, x = made(Mixer.named("ViT", heads=2)), images()
    found = {}
    for choice in ("auto", "fused"):
        with operators(choice):  # type: ignore[arg-type]
            found[choice] = any("_Attention" in node.name() for node in graph_of(module(x)))
    assert found == {"auto": False, "fused": True}
    large = made(Mixer.named("ViT", heads=2), 12)
    with operators("auto"):
        y = large(torch.randn(1, 8, 12, 12, dtype=torch.float64))
    assert any("_Attention" in node.name() for node in graph_of(y))


class Calls(TorchDispatchMode):
    """How often each operator runs within it."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_the_gradient_computes_no_forward_pass_again() -> None:
    module, x = made(Mixer.named("ViT", heads=2)), images()
    with operators("fused"), Calls() as calls:
        module(x).sum().backward()
    name = "_scaled_dot_product_flash_attention_for_cpu"
    assert (calls.counts[name], calls.counts[f"{name}_backward"]) == (1, 1)


@pytest.mark.parametrize("place", range(3, len(MIXERS)))
def test_what_is_added_is_added_once(place: int) -> None:
    """By the gradient that is written out, which masks and copies no weights."""
    module, x = made(MIXERS[place].values[0]), images()
    with operators("auto"), Calls() as calls:
        y = module(x)
        y.sum().backward()
    assert any("_BiasedAttention" in node.name() for node in graph_of(y))
    assert calls.counts["_softmax"] == calls.counts["_softmax_backward_data"] == 1
    assert calls.counts["masked_fill"] == (1 if module.mixing.weights.apart is not None else 0)


@pytest.mark.parametrize("mixer", MIXERS)
def test_gradients_of_several_sums_at_once(mixer: Mixer) -> None:
    module, x = made(mixer), images()
    directions = torch.randn(3, *x.shape, dtype=x.dtype)
    wanted = [x, *module.parameters()]
    with operators("fused"):
        y = module(x)
        found = grad(y, wanted, directions, is_grads_batched=True, retain_graph=True)
        for place, direction in enumerate(directions):
            one = grad(y, wanted, direction, retain_graph=True)
            for each, expected in zip(found, one, strict=True):
                torch.testing.assert_close(each[place], expected)


@pytest.mark.parametrize("mixer", MIXERS)
def test_products_that_a_checkpoint_keeps_stay_as_they_are(mixer: Mixer) -> None:
    """A policy may keep what is costly to compute again: nothing is changed in its place."""
    module, x = made(mixer), images()
    wanted = [x, *module.parameters()]

    def keep(ctx: Any, operator: Any, *args: Any, **kwargs: Any) -> CheckpointPolicy:
        kept = operator in (torch.ops.aten.bmm.default, torch.ops.aten.convolution.default)
        return CheckpointPolicy.MUST_SAVE if kept else CheckpointPolicy.PREFER_RECOMPUTE

    contexts = partial(create_selective_checkpoint_contexts, keep)
    with operators("fused"):
        expected = grad(module(x).square().sum(), wanted)
        again = checkpoint(module, x, use_reentrant=False, context_fn=contexts)
        found = grad(again.square().sum(), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("choice", ["fused", "plain"])
def test_a_graph_may_be_gone_through_twice(choice: Choice) -> None:
    module, x = made(Mixer.named("ViT", heads=2)), images()
    with operators(choice):
        loss = module(x).square().sum()
        (first,) = grad(loss, x, retain_graph=True)
        (second,) = grad(loss, x)
    assert torch.equal(first, second)


def test_it_may_be_computed_again_for_the_gradient() -> None:
    module, x = made(Mixer.named("ViT", heads=2)), images()
    with operators("fused"):
        (expected,) = grad(module(x).square().sum(), x)
        again = checkpoint(module, x, use_reentrant=False)
        (found,) = grad(again.square().sum(), x)
    torch.testing.assert_close(found, expected)


def test_gradients_of_each_image_and_frozen_parts() -> None:
    module, x = made(Mixer.named("ViT", heads=2)), images(2)
    module.mixing.weights.key.requires_grad_(False)  # type: ignore[union-attr]
    parameters = {n: p for n, p in module.named_parameters() if p.requires_grad}

    def loss(given: dict[str, Tensor], image: Tensor) -> Tensor:
        y: Tensor = functional_call(module, given, (image.unsqueeze(0),))
        return y.square().sum()

    with operators("fused"):
        found = vmap(torch.func.grad(loss), (None, 0))(parameters, x.detach())
        for place in range(2):
            one = grad(module(x[place : place + 1]).square().sum(), list(parameters.values()))
            for name, each in zip(parameters, one, strict=True):
                torch.testing.assert_close(found[name][place], each)


def test_derivatives_of_derivatives_are_right() -> None:
    torch.manual_seed(0)
    maps = torch.randn(3, 1, 1, 2, 3, dtype=torch.float64, requires_grad=True)
    with operators("fused"):
        assert gradgradcheck(partial(attended, scale=0.7, cut=False), tuple(maps))


@pytest.mark.parametrize("mixer", MIXERS)
def test_derivatives_along_a_direction(mixer: Mixer) -> None:
    module, x = made(mixer), images().detach()
    direction = torch.randn_like(x)
    with operators("fused"), forward_ad.dual_level():
        found = forward_ad.unpack_dual(module(forward_ad.make_dual(x, direction))).tangent
    with operators("plain"):
        _, expected = torch.func.jvp(module, (x,), (direction,))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("mixer", MIXERS)
def test_counters_see_what_the_composition_multiplies(mixer: Mixer) -> None:
    counts = []
    for choice in ("fused", "plain"):
        module, x = made(mixer), images()
        with operators(choice), FlopCounterMode(display=False) as counter:  # type: ignore[arg-type]
            module(x).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0


def test_what_is_computed_again_is_not_kept_meanwhile() -> None:
    """Checkpointed, the node of attention holds no map until its gradient is asked for."""
    module, x = made(Mixer.named("ViT", heads=2), 24).float(), torch.randn(2, 8, 24, 24)
    kept: list[Tensor] = []

    def pack(tensor: Tensor) -> None:
        kept.append(tensor)

    with operators("fused"), torch.autograd.graph.saved_tensors_hooks(pack, lambda _: None):
        y = module(x)
    (attention,) = [each for each in graph_of(y) if "_Attention" in each.name()]
    held = [tree_leaves(value) for value in vars(attention).values()]
    assert not [leaf for leaves in held for leaf in leaves if isinstance(leaf, Tensor)]
    assert len(kept) > 3


def test_derivatives_of_derivatives_under_autocast() -> None:
    module, x = made(Mixer.named("ViT", heads=2)).float(), images().detach().float()
    x.requires_grad_()
    with operators("fused"):
        with torch.autocast("cpu", torch.bfloat16):
            loss = module(x).float().square().sum()
        (first,) = grad(loss, x, create_graph=True)
        (second,) = grad(first.square().sum(), x)
    assert second.isfinite().all()
    assert second.any()
