"""The figures of the data card, counted from the table's file."""

from pathlib import Path
from statistics import mean, median, stdev

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, spearmanr

from benchmarks.table.columns import PLANNED
from benchmarks.table.read import TabularBenchmark, longer_table
from search.query.repeats import pooled, t_quantile
from space import Architecture, Mixer, all_mixer_types

BEGIN, END = "<!-- figures, written by make_table -->", "<!-- end of the figures -->"
_ENOUGH = 10
"""Networks from which on a rank correlation has an interval."""
NO_TABLE = "The table has not been written yet."


def write_figures(card: Path, table: Path) -> None:
    """Put the figures of the table into the card, in place of those that were there.

    They are at its end where there were none, and all of it where there is no card.
    """
    before, _, rest = (card.read_text() if card.exists() else "").partition(BEGIN)
    _, _, after = rest.partition(END)
    card.write_text(f"{before}{BEGIN}\n{figures(table)}\n{END}{after}")


def written_figures(card: Path) -> str:
    """What stands in the card."""
    text = card.read_text()
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def figures(path: Path) -> str:
    """A Markdown table of what the file holds; a sentence where there is no file."""
    if not path.is_file():
        return NO_TABLE
    benchmark = TabularBenchmark(path)
    rows = {**_counts(benchmark), **_accuracies(benchmark), **_spreads(benchmark)}
    rows |= _against_longer(benchmark, longer_table(path))
    rows |= _seconds(benchmark) | _provenance(benchmark)
    return "\n".join(
        ["| figure | value |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows.items())]
    )


def _counts(benchmark: TabularBenchmark) -> dict[str, str]:
    trainings = [benchmark.trainings(name) for name in benchmark.architectures]
    failed = sum(t.failure is not None for by_seed in trainings for t in by_seed.values())
    mixer_types = {mixer.type for a in benchmark.architectures.values() for mixer in _mixers(a)}
    return {
        "architectures": f"{len(trainings):,} of {benchmark.space().count():,} in the space",
        "mixer types of the algebra": f"{len(mixer_types)} of {len(all_mixer_types())}",
        "trainings": _of_planned(sum(map(len, trainings)), benchmark),
        "architectures with several seeds": f"{sum(len(t) > 1 for t in trainings):,}",
        "trainings that failed": f"{failed:,}",
    }


def _of_planned(there: int, benchmark: TabularBenchmark) -> str:
    planned = benchmark.metadata.get(PLANNED, there)
    return f"{there:,}" if there == planned else f"{there:,} of {planned:,} planned"


def _accuracies(benchmark: TabularBenchmark) -> dict[str, str]:
    values = [benchmark.mean_accuracy(name) for name in benchmark.architectures]
    low, middle, high = (f"{value:.4f}" for value in (min(values), median(values), max(values)))
    return {
        "validation accuracy, mean over seeds": f"{low} (least), {middle} (median), {high} (best)"
    }


def _spreads(benchmark: TabularBenchmark) -> dict[str, str]:
    repeated = [t for t in map(benchmark.trainings, benchmark.architectures) if len(t) > 1]
    rows = {}
    if repeated:
        within = median(stdev(t.accuracy for t in each.values()) for each in repeated)
        rows["standard deviation over seeds, median architecture"] = f"{within:.4f}"
    if len(repeated) > 2:
        pairs = [[t.accuracy for t in list(each.values())[:2]] for each in repeated]
        rows["rank correlation of two seeds"] = f"{rank_correlation(*np.array(pairs).T):.3f}"
    return rows | _early_ranks(benchmark)


def _early_ranks(benchmark: TabularBenchmark) -> dict[str, str]:
    """How well an early epoch tells the end, over the first training of every architecture."""
    firsts = (next(iter(benchmark.trainings(name).values())) for name in benchmark.architectures)
    curves = np.array([t.validation_accuracy for t in firsts if t.failure is None])
    if len(curves) < 3:
        return {}
    return {
        f"rank correlation of epoch {epoch} with the last": (
            f"{rank_correlation(curves[:, epoch - 1], curves[:, -1]):.3f}"
        )
        for epoch in (1, 3)
        if epoch < benchmark.epochs
    }


def _against_longer(benchmark: TabularBenchmark, path: Path) -> dict[str, str]:
    """How well the table's order is that of longer trainings, where there are such."""
    if not path.is_file():
        return {}
    longer = TabularBenchmark(path)
    names = [name for name in longer.architectures if name in benchmark.architectures]
    if len(names) < 3:
        return {}
    pairs = np.array([[_of_first_seed(b, name) for b in (benchmark, longer)] for name in names])
    mixer_types = {mixer.type for name in names for mixer in _mixers(longer.architectures[name])}
    said = (
        f"rank correlation with trainings of {longer.epochs} epochs, {len(names)} architectures "
        f"over {len(mixer_types)} mixer types, and its 95% interval"
    )
    gained = 100 * float(np.median(pairs[:, 1] - pairs[:, 0]))
    return {
        said: f"{rank_correlation(*pairs.T):.3f} [{_interval_words(pairs)}]",
        **_turned(benchmark, pairs),
        "points that these gain by longer trainings, median": f"{gained:+.2f}",
    }


def _interval_words(pairs: NDArray[np.float64]) -> str:
    """Of fewer networks, resamples would often be of one or two alone, which have no ranks."""
    if len(pairs) < _ENOUGH:
        return "too few for an interval"
    low, high = interval(pairs)
    return f"{low:.3f}, {high:.3f}"


def _turned(benchmark: TabularBenchmark, pairs: NDArray[np.float64]) -> dict[str, str]:
    """How many pairs of networks longer trainings order otherwise, and if seeds could have."""
    trainings = map(benchmark.trainings, benchmark.architectures)
    spread = pooled([[t.accuracy for t in each.values()] for each in trainings])
    shorter, longer = (np.subtract.outer(column, column) for column in pairs.T)
    others = np.triu_indices(len(pairs), k=1)
    turned = (shorter * longer < 0)[others]
    said = f"{int(turned.sum()):,} of {len(turned):,}"
    if spread is not None:
        reach = t_quantile(spread.freedom) * spread.error(1, 1)
        clear = np.minimum(np.abs(shorter), np.abs(longer))[others] > reach
        said += f"; {int((turned & clear).sum()):,} by more than seeds scatter, in both"
    return {"pairs of these that longer trainings put the other way round": said}


def _of_first_seed(benchmark: TabularBenchmark, name: str) -> float:
    return next(iter(benchmark.trainings(name).values())).accuracy


def _seconds(benchmark: TabularBenchmark) -> dict[str, str]:
    values = [benchmark.seconds(name) for name in benchmark.architectures]
    text = f"{min(values):.1f} (least), {median(values):.1f} (median), {max(values):.1f} (most)"
    return {"seconds of a training": text, "mean seconds of a training": f"{mean(values):.1f}"}


def _provenance(benchmark: TabularBenchmark) -> dict[str, str]:
    said = benchmark.metadata
    return {
        "protocol hash": f"`{said['protocol_hash']}`",
        "trained on": ", ".join(said["trained_on"]),
        "written": f"{said['written']}, on {said['machine']}",
        "torch": said["versions"]["torch"],
    }


def _mixers(architecture: Architecture) -> list[Mixer]:
    return [mixer for stage in architecture.stages for mixer in stage.mixers]


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's, with mean ranks for ties; both of shape (n,)."""
    return float(spearmanr(one, other).statistic)


def interval(pairs: NDArray[np.float64]) -> tuple[float, float]:
    """95% percentile bootstrap of the rank correlation of pairs, (n, 2), over the pairs."""
    found = bootstrap(
        tuple(pairs.T),
        rank_correlation,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=0,
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
