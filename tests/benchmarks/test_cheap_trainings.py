"""Cheap trainings of a table's networks: on few images, and on smaller ones."""

import pytest
import torch

from benchmarks.proxies.cheap import SmallerImages, open_embedded, train_cheaply
from benchmarks.table.read import TabularBenchmark
from tests.benchmarks.synthetic import LONG, trainings, write


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> TabularBenchmark:
    first = next(iter(LONG.space().enumerate()))
    return TabularBenchmark(
        write(tmp_path_factory.mktemp("table") / "table.parquet", trainings([first]))
    )


def test_smaller_images_are_means_of_pixels(benchmark: TabularBenchmark) -> None:
    data = open_embedded(benchmark, images=150)
    smaller = SmallerImages(data, 14)
    assert (smaller.description.height, smaller.description.width) == (14, 14)
    for batches in ("train", "validation"):
        whole, small = (
            next(each.train_batches(1, 0) if batches == "train" else each.validation_batches())
            for each in (data, smaller)
        )
        blocks = whole[0].unflatten(3, (14, 2)).unflatten(2, (14, 2))
        torch.testing.assert_close(small[0], blocks.mean((3, 5)))
        assert torch.equal(small[1], whole[1])


@pytest.mark.parametrize("edge", [28, 16])
def test_a_network_is_trained_on_few_images_of_an_edge(
    edge: int, benchmark: TabularBenchmark
) -> None:
    data = open_embedded(benchmark, images=150)
    assert data.description.train_images == 150
    (id_,) = benchmark.architectures
    calls: list[int] = []
    found = train_cheaply(benchmark, [id_], data, edge, lambda: calls.append(1))
    accuracy, seconds = found[id_]
    assert 0 <= accuracy <= 1
    assert seconds > 0
    assert calls == [1]
    assert found[id_][0] == train_cheaply(benchmark, [id_], data, edge)[id_][0]
