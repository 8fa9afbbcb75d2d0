"""The fast operators equal the definition: output and every gradient, in float64."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from space import Mixer, MixerType, all_mixer_types
from space.geometry import MapSize
from space.operators import TokenMixer
from space.operators.neighbourhood import neighbourhood_dot, neighbourhood_sum
from space.reference import reference_forward
from tests.space.strategies import map_sizes, mixers_of

TOLERANCE = 1e-9


def randomise(operator: nn.Module) -> None:
    """Every parameter and statistic off its initial value, so that none can be overlooked."""
    for parameter in operator.parameters():
        nn.init.normal_(parameter, std=0.5)
    for name, buffer in operator.named_buffers():
        if name.endswith("running_mean"):
            nn.init.normal_(buffer)
        if name.endswith("running_var"):
            nn.init.uniform_(buffer, 0.5, 2.0)


def gradients(operator: nn.Module, output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    weights = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).reshape(output.shape)
    wanted = [*inputs, *operator.parameters()]
    loss = (output * weights).sum() + 0 * sum(tensor.sum() for tensor in wanted)
    return list(torch.autograd.grad(loss, wanted))


def assert_agrees(
    mixer: Mixer,
    width: int,
    size: MapSize,
    shifted: bool,
    seed: int,
    own_context: bool = True,
    gradient: bool = True,
    image: int | None = None,
) -> None:
    """For two images; the slow definition is that of one of them where `image` says which.

    The operator sees both all the same, and the other one must have no gradient.
    """
    torch.manual_seed(seed)
    operator = TokenMixer(mixer, width, size, shifted).double().eval()
    randomise(operator)
    shape = (2, width, size.height, size.width)
    values = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    context = torch.randn(shape, dtype=torch.float64, requires_grad=True) if own_context else values
    inputs = [values, context] if own_context else [values]
    fast = operator(values, context if own_context else None)
    asked = slice(None) if image is None else slice(image, image + 1)
    fast, slow = fast[asked], reference_forward(operator, values[asked], context[asked])
    torch.testing.assert_close(fast, slow, rtol=TOLERANCE, atol=TOLERANCE)
    if not gradient:
        return
    pairs = zip(gradients(operator, fast, inputs), gradients(operator, slow, inputs), strict=True)
    for of_fast, of_slow in pairs:
        torch.testing.assert_close(of_fast, of_slow, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_every_mixer_type_equals_its_definition(mixer_type: MixerType, data: st.DataObject) -> None:
    mixer, width = data.draw(mixers_of([mixer_type]))
    assert_agrees(
        mixer,
        width,
        data.draw(map_sizes()),
        shifted=data.draw(st.booleans()),
        seed=data.draw(st.integers(0, 2**20)),
        own_context=data.draw(st.booleans()),
    )


@pytest.mark.parametrize("precise", ["first", "second"])
@pytest.mark.parametrize(
    ("combine", "taps"), [(lambda x, w: neighbourhood_sum(w, x, 3), 9), (neighbourhood_dot, 4)]
)
def test_neighbourhoods_are_combined_in_the_precision_of_the_map(
    combine: Callable[..., Tensor], taps: int, precise: str
) -> None:
    """As under autocast, where maps are of half the precision of the weights."""
    generator = torch.Generator().manual_seed(0)
    x, other = (torch.randn(2, 3, size, 5, 6, generator=generator) for size in (4, taps))
    options = (3,) if taps == 4 else ()
    x, other = (x, other.bfloat16()) if precise == "first" else (x.bfloat16(), other)
    found = combine(x, other, *options)
    assert found.dtype == x.dtype
    assert torch.equal(found, combine(x, other.to(x.dtype), *options))
