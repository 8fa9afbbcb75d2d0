"""What each part of an architecture costs, in closed form."""

from dataclasses import dataclass

from space import Architecture, Cost, cost
from space.cost.network_cost import downsample_cost, stage_cost


@dataclass(frozen=True, slots=True)
class PartCost:
    """A part of the network and its cost."""

    part: str
    cost: Cost


def part_costs(architecture: Architecture) -> list[PartCost]:
    """The costs of the stages, of the downsampling between them, and of stem and head."""
    stages, sizes = architecture.stages, architecture.stage_sizes()
    found = []
    for index, (stage, size) in enumerate(zip(stages, sizes, strict=True)):
        if index > 0:
            down = downsample_cost(
                stages[index - 1].width, stage.width, size, architecture.downsample
            )
            found.append(PartCost(f"Downsampling to stage {index + 1}", down))
        own = stage_cost(stage, size, architecture.scaffold)
        found.append(PartCost(f"Stage {index + 1}", own))
    total = cost(architecture)
    rest = Cost(
        total.params - sum(part.cost.params for part in found),
        total.macs - sum(part.cost.macs for part in found),
        total.unseen_macs - sum(part.cost.unseen_macs for part in found),
    )
    return [*found, PartCost("Stem and head", rest)]
