"""Says before a study starts that its random points will be too few to compare with."""

from search.config import Config
from search.query.baseline import ENOUGH, random_points
from search.runner.setup import initial_points
from search.runner.warm_start import most_warm_points


def baseline_warning(config: Config) -> str | None:
    """A line for people; None where a comparison can be made, or none was asked for."""
    if not config.random_baseline:
        return None
    first = min(len(initial_points(config)), config.trials)
    random, searched = _sides(config, config.random_baseline, first)
    if min(random, searched) >= ENOUGH:
        return None
    shares = (hundredths / 100 for hundredths in range(1, 100))
    enough = next((s for s in shares if min(_sides(config, s, first)) >= ENOUGH), None)
    way_out = "give more trials" if enough is None else f"random_baseline {enough:g} gives enough"
    beside = f" beside {first:,} initial ones" if first else ""
    return (
        f"warning: random_baseline {config.random_baseline:g} gives {random:,} random and "
        f"{searched:,} searched points in {config.trials:,} trials{beside}; to say what the "
        f"searcher is worth {ENOUGH} of each are needed: {way_out}"
    )


def _sides(config: Config, share: float, first: int) -> tuple[int, int]:
    """How many points are random, and how many at least are the searcher's."""
    random = random_points(share, config.trials, first)
    rest = config.trials - first - random
    warm = min(rest, most_warm_points(config.trials)) if config.warm_start else 0
    return random, rest - warm
