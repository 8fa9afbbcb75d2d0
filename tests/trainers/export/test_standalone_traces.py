"""Stand-alone files under torch's tracers: no size of a batch stays in what is traced."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from space import BLOCK_TYPES, Architecture, Mixer, all_mixer_types
from space.architecture import BlockType, Head, Input, Stage, Stem
from tests.space.test_every_mixer_type_trains import mixer_fields
from tests.trainers.export.standalone_files import error, executed, images
from trainers.export.standalone import standalone_source


def of_all_mixer_types(block_type: BlockType, step: int = 1) -> Architecture:
    """A block for each mixer type, one behind the other, or for every so manieth."""
    mixers = tuple(Mixer(**mixer_fields(each)) for each in all_mixer_types()[::step])
    stages = (Stage(len(mixers), 8, 1, mixers), Stage(1, 8, 1, mixers[:1]))
    return Architecture(Input(2, 20, 14), Stem(4), block_type, stages, Head(3))


def built(architecture: Architecture) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = executed(standalone_source(architecture)).build()
    return network.eval()


def scripted(network: nn.Module, batch: Tensor) -> Callable[[Tensor], Tensor]:
    return torch.jit.trace(network, batch, check_trace=False)  # type: ignore[no-any-return]


def exported(network: nn.Module, batch: Tensor) -> Callable[[Tensor], Tensor]:
    shapes = ({0: torch.export.Dim("batch")},)
    return torch.export.export(network, (batch,), dynamic_shapes=shapes).module()


def compiled(network: nn.Module, batch: Tensor) -> Callable[[Tensor], Tensor]:
    torch._dynamo.reset()
    return torch.compile(network, fullgraph=True, backend="eager")


TRACERS = (scripted, exported, compiled)


def assert_traced(architecture: Architecture, tracer: Callable[..., Callable[..., Tensor]]) -> None:
    network, batch = built(architecture), images(architecture, batch=5).float()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates torch.jit, and traces it all the same
        traced = tracer(network, batch[:2])
        assert error(traced(batch), network(batch)) <= 1e-5


@pytest.mark.thorough
def test_all_mixer_types_trace_for_any_batch() -> None:
    assert_traced(of_all_mixer_types("prenorm"), scripted)


@pytest.mark.thorough
def test_some_mixer_types_are_exported_for_any_batch() -> None:
    assert_traced(of_all_mixer_types("prenorm", step=12), exported)


@pytest.mark.slow
@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_all_mixer_types_go_through_every_tracer(
    block_type: BlockType, tracer: Callable[..., nn.Module]
) -> None:
    assert_traced(of_all_mixer_types(block_type), tracer)


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_empty_batches_and_single_images_of_a_batch(block_type: BlockType) -> None:
    architecture = of_all_mixer_types(block_type)
    network, batch = built(architecture), images(architecture, batch=3).float()
    with torch.no_grad():
        together = network(batch)
        assert network(batch[:0]).shape == (0, 3)
        assert error(torch.vmap(lambda image: network(image[None])[0])(batch), together) <= 1e-5
