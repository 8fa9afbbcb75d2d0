"""Batch norm of all processes is that of all their images (see `test_several_processes`)."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from trainers.shared_norms import SharedBatchNorm, share_statistics


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """So many, of which each holds the same images: a sum over all is a multiple."""

    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.distributed, "get_world_size", lambda: count)
        monkeypatch.setattr(torch.distributed, "all_reduce", lambda value: value.mul_(count))

    return pretend


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("affine", [True, False])
def test_it_is_batch_norm_of_all_images(
    processes: Callable[[int], None], count: int, momentum: float | None, affine: bool
) -> None:
    processes(count)
    torch.manual_seed(0)
    plain = nn.BatchNorm2d(4, momentum=momentum, affine=affine).double()
    shared = nn.BatchNorm2d(4, momentum=momentum, affine=affine).double()
    share_statistics(shared, torch.device("cpu"))
    assert isinstance(shared, SharedBatchNorm)
    for _ in range(2):
        x = torch.randn(5, 4, 3, 2, dtype=torch.float64) * 2 + 1
        slopes = torch.randn_like(x)
        found, to_x = _with_gradient(shared, x, slopes)
        every = x.repeat(count, 1, 1, 1)
        expected, to_every = _with_gradient(plain, every, slopes.repeat(count, 1, 1, 1))
        torch.testing.assert_close(found, expected[:5])
        torch.testing.assert_close(to_x, to_every[:5])
    state = plain.state_dict()
    assert state.keys() == shared.state_dict().keys()
    for name, value in shared.state_dict().items():
        torch.testing.assert_close(value, state[name])
    torch.testing.assert_close(shared.eval()(x), plain.eval()(x))


def _with_gradient(norm: nn.Module, x: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    x = x.clone().requires_grad_()
    y = norm(x)
    return y.detach(), torch.autograd.grad(y, x, slopes)[0]


def test_on_gpus_it_is_torchs_own() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm1d(2))
    weight = network[1].weight
    share_statistics(network, torch.device("cuda"))
    assert [type(part) for part in network] == [nn.Conv2d, nn.SyncBatchNorm, nn.SyncBatchNorm]
    assert network[1].weight is weight
    assert vars(network[1])["process_group"] is None


def test_one_that_keeps_no_statistics_keeps_none(processes: Callable[[int], None]) -> None:
    processes(2)
    plain = nn.BatchNorm2d(4, track_running_stats=False)
    shared = nn.BatchNorm2d(4, track_running_stats=False)
    share_statistics(shared, torch.device("cpu"))
    x = torch.randn(5, 4, 3, 2)
    torch.testing.assert_close(shared(x), plain(x))
    assert shared.running_mean is None
