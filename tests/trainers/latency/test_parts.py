"""The parts of a network are the network: its costs, its parameters, its computation."""

import numpy as np
import pytest
import torch

from space import Architecture, DesignSpace
from space.cost import cost
from space.custom import CustomMixer
from space.errors import InputError
from tests.space.own_mixers import mixers
from tests.space.spaces import everything, small
from trainers.latency import Part, parts_of, parts_of_space
from trainers.latency.part_modules import network_module, part_module
from trainers.latency.predictor import _macs


def some(space: DesignSpace, number: int) -> list[Architecture]:
    return list(space.distinct(number, np.random.default_rng(5)))


def test_the_parts_have_the_parameters_of_the_network() -> None:
    for architecture in some(everything(), 8):
        total = 0
        for part, number in parts_of(architecture).items():
            module, _, copies = part_module(part)
            parameters = sum(p.numel() for p in module.parameters())
            assert parameters % copies == 0
            total += number * parameters // copies
        network, _ = network_module(architecture)
        assert total == sum(p.numel() for p in network.parameters()), architecture.id


def test_the_parts_have_the_work_of_the_network() -> None:
    for architecture in some(everything(), 40):
        parts = parts_of(architecture)
        found = sum(_macs(part) * n for part, n in parts.items() if part.kind != "head")
        head = next(part for part in parts if part.kind == "head")
        # Window tiles that move may be more by one, which is for odd blocks alone.
        exact = cost(architecture).macs
        assert found + head.width * head.outputs == pytest.approx(exact, rel=0.06)


@pytest.mark.parametrize(
    "space",
    [
        small(),
        DesignSpace.from_yaml("imagenet-tiny"),
        pytest.param(everything(), marks=pytest.mark.slow),
    ],
    ids=["small", "imagenet-tiny", "everything"],
)
def test_every_network_of_a_space_is_made_of_its_parts(space: DesignSpace) -> None:
    every = set(parts_of_space(space))
    for architecture in some(space, 30):
        assert set(parts_of(architecture)) <= every


def test_every_part_of_a_small_space_is_met() -> None:
    space = small()
    met: set[Part] = set()
    for architecture in space.enumerate():
        met |= set(parts_of(architecture))
    assert met == set(parts_of_space(space))


def test_a_part_is_read_back_and_computes_its_shape() -> None:
    for architecture in some(everything(), 3):
        for part in parts_of(architecture):
            again = Part.from_dict(part.to_dict())
            assert (again, hash(again), again.id) == (part, hash(part), part.id)
            module, shape, _ = part_module(part)
            with torch.inference_mode():
                y = module.eval()(torch.randn(2, *shape))
            if part.kind == "block":
                assert y.shape == (2, *shape)
            elif part.kind == "head":
                assert y.shape == (2, part.outputs)
            else:
                assert y.shape[1] == (part.width if part.kind == "stem" else part.outputs)


def test_blocks_whose_tiles_move_are_another_part() -> None:
    windows = small(mixers=[{"operator": "local vit", "kernel_size": 2, "heads": 1}])
    found = next(a for a in windows.enumerate() if a.stages[0].depth == 2)
    blocks = [part for part in parts_of(found) if part.kind == "block" and part.width < 16]
    assert {part.shifted for part in blocks} == {False, True}
    assert not any(
        part.shifted
        for part in parts_of_space(small())
        if part.mixer is not None and part.mixer.locality != "window"
    )


def test_words_of_parts() -> None:
    stem, block, *_, head = parts_of(next(iter(small().enumerate())))
    assert stem.words == "stem patch at 16×16×8"
    assert block.words == "block conv DW-S Conv. k3 at 4×4×8"
    assert head.words == "head before at 2×2×16"


POOL_OF_5 = {"custom": "test pool", "version": 1, "options": {"kernel_size": 5}}


@pytest.mark.usefixtures(mixers.__name__)
def test_a_part_with_a_mixer_of_ones_own_is_read_back() -> None:
    block = next(p for p in parts_of(next(iter(small().enumerate()))) if p.kind == "block")
    values = block.to_dict() | {"mixer": POOL_OF_5}
    part = Part.from_dict(values)
    assert isinstance(part.mixer, CustomMixer)
    assert (part.to_dict(), part.type) == (values, block.type)
    for mixer, field in ((POOL_OF_5 | {"custom": "DW-S Conv."}, "custom"), ({}, "locality")):
        with pytest.raises(InputError) as refused:
            Part.from_dict(values | {"mixer": mixer}, "there")
        assert refused.value.problems[0].where == f"there.mixer.{field}"
