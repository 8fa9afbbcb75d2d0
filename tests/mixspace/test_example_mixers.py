"""The six example mixers: what they declare is so, they learn, and they cost what torch counts."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

import mixspace
import mixspace.mixers
from mixspace.mixers import (
    GlobalFilter,
    LargeKernelPair,
    LinearAttention,
    Pooling,
    SelectiveScan,
)
from space import CustomMixer, DesignSpace, MapSize, Mixer
from space.custom import registered_mixers
from space.custom.plugins import plugins_of
from space.networks import build
from space.operators import CustomTokenMixer
from space.operators.custom_checks import check_custom_mixer
from trainers import DataConfig
from trainers.data.kinds.fashion_mnist import load_part

EXAMPLES = {
    each.name: each for each in registered_mixers() if each.module.startswith("mixspace.mixers.")
}


def test_there_are_six_each_with_its_paper_and_relatives() -> None:
    assert list(EXAMPLES) == [
        "global filter",
        "identity",
        "large kernel pair",
        "linear attention",
        "pooling",
        "selective scan",
    ]
    for each in EXAMPLES.values():
        assert each.paper
        for relative in each.relatives:
            options = {} if relative in EXAMPLES else {"kernel_size": 3}
            fields = options if relative == "DW-S Conv." else {}
            assert Mixer.named(relative, **fields).name == relative
    assert len(mixspace.mixers.__all__) == 6


@pytest.mark.thorough
@pytest.mark.parametrize("name", EXAMPLES)
def test_its_marks_are_so(name: str) -> None:
    definition = EXAMPLES[name]
    assert set(definition.marks.declared) == {"locality", "channels", "sharing", "dynamics"}
    for width, size in ((16, MapSize(7, 7)), (24, MapSize(4, 5)), (8, MapSize(1, 1))):
        assert check_custom_mixer(CustomMixer(name), width, size) == []


@pytest.mark.parametrize(
    "options",
    [
        ("large kernel pair", {"kernel_size": 31}),
        ("pooling", {"kernel_size": 7}),
        ("linear attention", {"heads": 8}),
        ("selective scan", {"heads": 2, "state": 4}),
    ],
    ids=lambda pair: pair[0],
)
def test_other_options_have_its_marks_too(options: tuple[str, dict[str, Any]]) -> None:
    assert check_custom_mixer(CustomMixer(*options), 16, MapSize(7, 8)) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_costs_what_torch_counts(name: str) -> None:
    space = DesignSpace.from_dict(_space(name, 24))
    network = space.sample(seed=0).build(seed=0)
    assert isinstance(network.get_submodule("stages.0.0.mix.3"), CustomTokenMixer)
    cost = mixspace.cost(space.sample(seed=0))
    assert cost.params == sum(each.numel() for each in network.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, 1, 28, 28))
    assert cost.macs - cost.unseen_macs == counter.get_total_flops() // 2


def _space(name: str, width: int) -> dict[str, Any]:
    return {
        "plugins": ["mixspace.mixers"],
        "input": {"channels": 1, "size": 28},
        "classes": 2,
        "block_type": "conv",
        "stages": [{"depth": 1, "width": width, "mixers": [name]}],
    }


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    """Two thousand of the embedded images of clothes, and their classes."""
    found = load_part(DataConfig(name="fashion-mnist", source="embedded"), "train")
    images = torch.tensor(found.images[:2000]).float().reshape(-1, 1, 28, 28) / 255
    return (images - images.mean()) / images.std(), torch.tensor(found.labels[:2000]).long()


@pytest.mark.thorough
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_learns_what_clothes_look_like(name: str, pictures: tuple[Tensor, Tensor]) -> None:
    """Of ten classes guessing gives a tenth."""
    space = DesignSpace.from_dict(_space(name, 16) | {"classes": 10})
    network = build(space.sample(seed=0), weight_init="lecun", seed=0)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    images, labels = pictures
    epoch = list(zip(images[:1600].split(32), labels[:1600].split(32), strict=True))
    for batch, wanted in 2 * epoch:
        optimiser.zero_grad()
        F.cross_entropy(network(batch), wanted).backward()
        optimiser.step()
    with torch.no_grad():  # by the statistics of these images: a hundred steps are few for others
        found = network(images[1600:]).argmax(1)
    assert (found == labels[1600:]).float().mean() > 0.4


# --- against what the papers write ------------------------------------------------------------


def _one(module: torch.nn.Module) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    values, context = torch.randn(2, 1, 8, 3, 4, dtype=torch.float64)
    module.double().eval()
    return values, context


@torch.no_grad()
def test_linear_attention_is_its_sum_written_out() -> None:
    module = LinearAttention(8, MapSize(3, 4), heads=2)
    values, context = _one(module)
    query, key = (F.elu(layer(context)) + 1 for layer in (module.query, module.key))
    expected = torch.empty_like(values).flatten(2)
    for head in range(2):
        rows = slice(4 * head, 4 * head + 4)
        scores = query.flatten(2)[0, rows].T @ key.flatten(2)[0, rows]
        weights = scores / scores.sum(1, keepdim=True)
        expected[0, rows] = values.flatten(2)[0, rows] @ weights.T
    torch.testing.assert_close(module(values, context).flatten(2), expected)


@torch.no_grad()
def test_the_selective_scan_is_its_recursion_from_both_ends() -> None:
    module = SelectiveScan(8, MapSize(3, 4), heads=2, state=4)
    values, context = _one(module)
    made = module.make(context).flatten(2)[0].unflatten(0, (2, -1))
    expected = torch.zeros(8, 12, dtype=torch.float64)
    for head in range(2):
        entry, leave, step = made[head].split([4, 4, 1])
        step = F.softplus(step[0])
        x = values.flatten(2)[0, 4 * head : 4 * head + 4]
        y = module.skip[head] * x
        for direction, order in enumerate((range(12), range(11, -1, -1))):
            rate, state, before = module.log_rate[direction, head].exp(), torch.zeros(4, 4), None
            state = state.double()
            for p in order:
                if before is not None:
                    # What two tokens are apart is counted in the steps after the first in reading.
                    between = step[max(p, before)]
                    state = state * torch.exp(-rate * between)
                if direction == 0:
                    state = state + step[p] * torch.outer(x[:, p], entry[:, p])
                    y[:, p] += state @ leave[:, p] / 2
                else:
                    y[:, p] += state @ leave[:, p] / 2
                    state = state + step[p] * torch.outer(x[:, p], entry[:, p])
                before = p
        expected[4 * head : 4 * head + 4] = y
    torch.testing.assert_close(module(values, context).flatten(2)[0], expected)


@torch.no_grad()
def test_the_global_filter_is_a_convolution_around_the_border() -> None:
    module = GlobalFilter(8, MapSize(3, 4))
    values, _ = _one(module)
    impulse = torch.zeros(1, 8, 3, 4, dtype=torch.float64)
    impulse[..., 0, 0] = 1
    kernel = module(impulse)[0]
    expected = torch.zeros_like(values)
    for down in range(3):
        for right in range(4):
            rolled = values.roll((down, right), (2, 3))
            expected += kernel[None, :, down, right, None, None] * rolled
    torch.testing.assert_close(module(values), expected)


@torch.no_grad()
def test_pooling_is_the_mean_of_the_neighbours_that_there_are() -> None:
    module = Pooling(8, MapSize(3, 4), kernel_size=3)
    values, _ = _one(module)
    for row in range(3):
        for column in range(4):
            near = values[0, :, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            expected = near.mean((1, 2)) - values[0, :, row, column]
            torch.testing.assert_close(module(values)[0, :, row, column], expected)


@torch.no_grad()
def test_the_large_kernel_pair_is_one_kernel_in_the_form_of_a_cross() -> None:
    module = LargeKernelPair(8, MapSize(3, 4), kernel_size=13)
    values, _ = _one(module)
    cross = torch.zeros(8, 1, 13, 13, dtype=torch.float64)
    cross[..., 4:9] += module.tall.weight
    cross[..., 4:9, :] += module.wide.weight
    cross[..., 4:9, 4:9] += module.small.weight
    torch.testing.assert_close(module(values), F.conv2d(values, cross, padding=6, groups=8))


def test_workers_get_them_by_the_name_of_their_module() -> None:
    found = plugins_of(tuple(EXAMPLES.values()))
    assert set(found) == {each.module for each in EXAMPLES.values()}
    assert DesignSpace.from_dict(_space("pooling", 8)).plugins == ("mixspace.mixers",)
