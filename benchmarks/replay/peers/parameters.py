"""The table's architectures as plain parameters, as a user of a general optimiser writes them."""

from dataclasses import dataclass

from benchmarks.table.read import TabularBenchmark
from space import Architecture

Key = tuple[str, int, float, str, int | None]


@dataclass(frozen=True)
class Parameters:
    """Categorical choices, and the architecture that each combination names.

    Attributes:
        block_types, depths, mlp_ratios, operators: the values that the table has.
        kernel_sizes: of the operators that have several.
        architectures: id by (block type, depth, MLP ratio, operator, kernel size or None).
    """

    block_types: list[str]
    depths: list[int]
    mlp_ratios: list[float]
    operators: list[str]
    kernel_sizes: dict[str, list[int]]
    architectures: dict[Key, str]

    def find(
        self, block_type: str, depth: int, mlp_ratio: float, operator: str, kernel_size: int | None
    ) -> str | None:
        """The id of the architecture; None where the table lacks it.

        Args:
            kernel_size: without meaning for an operator that has one size only.
        """
        size = kernel_size if operator in self.kernel_sizes else None
        return self.architectures.get((block_type, depth, mlp_ratio, operator, size))


def parameters_of(benchmark: TabularBenchmark) -> Parameters:
    """Read the parameters off the architectures of a table.

    Raises:
        ValueError: two architectures have the same parameters.
    """
    fields = {name: _fields(a) for name, a in benchmark.architectures.items()}
    sizes: dict[str, set[int]] = {}
    for _, _, _, operator, size in fields.values():
        sizes.setdefault(operator, set()).add(size or 0)
    several = {operator: sorted(found) for operator, found in sizes.items() if len(found) > 1}
    architectures: dict[Key, str] = {}
    for name, (block_type, depth, ratio, operator, size) in fields.items():
        key = block_type, depth, ratio, operator, size if operator in several else None
        architectures[key] = name
    if len(architectures) < len(fields):
        raise ValueError("some architectures differ in more than these parameters")
    return Parameters(
        block_types=sorted({block_type for block_type, *_ in fields.values()}),
        depths=sorted({depth for _, depth, *_ in fields.values()}),
        mlp_ratios=sorted({ratio for _, _, ratio, *_ in fields.values()}),
        operators=sorted(sizes),
        kernel_sizes=several,
        architectures=architectures,
    )


def _fields(architecture: Architecture) -> Key:
    (stage,) = architecture.stages
    (mixer,) = stage.mixers
    return (
        architecture.block_type,
        stage.depth,
        float(stage.mlp_ratio),
        mixer.name,
        mixer.kernel_size,
    )
