"""The tables of architectures and operators in reports: leaderboards, fronts, paired comparison."""

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.text import Text

from search.cli.split_table import figures_words
from search.objectives import Objectives
from search.query import (
    BestRow,
    Evaluated,
    OperatorRank,
    Pair,
    Spread,
    StateCounts,
    StudyObjectives,
    TestFigures,
    bound_words,
    chance_of_images,
    is_custom,
    metric_words,
    ranks,
    state_words,
)
from search.query.best_row import OPERATOR_SEPARATOR
from space.cli.messages import printable
from space.cli.tables import Column, FittedTable
from space.mixer_types import LITERATURE_NAMES, PAPER_NAMES
from space.wording import NONE, count, percent, short

PAPER_OPERATORS = (*PAPER_NAMES, LITERATURE_NAMES["window/separable/full/channel/static"])
"""The 12 nodes of the paper's relation graph, and Local MLP of its text."""

_STUDY_WIDTH = 16

PRUNED = "Stopped early: these accuracies compare with none of a complete training"
"""Title of the table of what has no place among the complete."""


def leaderboards(
    rows: Sequence[BestRow],
    title: str,
    *,
    spread: Mapping[str, Spread] | None = None,
    wanted: StudyObjectives | None = None,
    tests: Mapping[tuple[str, str], TestFigures] | None = None,
    tags: Mapping[str, Sequence[str]] | None = None,
) -> list[FittedTable]:
    """The table of the complete architectures, and apart from it that of the others.

    The arguments are those of `leaderboard`.
    """
    several = len({row.study for row in rows}) > 1
    parts = {title: complete(rows), PRUNED: [row for row in rows if not row.is_complete]}
    return [
        leaderboard(
            part, name, with_study=several, spread=spread, wanted=wanted, tests=tests, tags=tags
        )
        for name, part in parts.items()
        if part
    ]


def complete(rows: Sequence[BestRow]) -> list[BestRow]:
    """The rows whose accuracies compare."""
    return [row for row in rows if row.is_complete]


def leaderboard(
    rows: Sequence[BestRow],
    title: str,
    *,
    with_study: bool = False,
    spread: Mapping[str, Spread] | None = None,
    wanted: StudyObjectives | None = None,
    tests: Mapping[tuple[str, str], TestFigures] | None = None,
    tags: Mapping[str, Sequence[str]] | None = None,
) -> FittedTable:
    """A table of architectures, a line each.

    Args:
        rows: of one protocol, in the order of the table.
        title: what the table shows.
        with_study: whether the rows come from several studies.
        spread: by protocol, for rows by falling accuracy, to call ties what they do not separate.
        wanted: of the one study that all rows are of, to mark what breaks its measured bounds.
        tests: what the test says, by ids and protocols, of the complete rows that it was read for.
        tags: what people called architectures, by their ids, of those that have tags.
    """
    longest = max((len(name) for row in rows for name in row.names), default=1)
    return FittedTable(
        (
            Column("#", ranks(rows, spread or {}), right=True),
            Column("architecture", [row.architecture_id for row in rows]),
            Column("accuracy", [percent(row.accuracy) for row in rows], right=True),
            *_bounds(rows, wanted),
            *_latencies(rows, wanted),
            *(_repeats(rows) if any(row.repeats > 1 for row in rows) else ()),
            *_tests(rows, tests or {}),
            Column("params", [short(row.params) for row in rows], right=True, optional=1),
            Column("FLOPs", [short(row.macs) for row in rows], right=True, optional=2),
            Column("epochs", [str(row.epochs) for row in rows], right=True, optional=5),
            Column("state", [str(row.state) for row in rows], optional=4),
            *([_studies(rows)] if with_study else []),
            *_tags(rows, tags or {}),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        title,
    )


def _bounds(
    rows: Sequence[BestRow], wanted: StudyObjectives | None, blanks: int = 0
) -> list[Column]:
    if wanted is None or not wanted.bounds:
        return []
    return [Column("bounds", [*(wanted.word(row) for row in rows), *[""] * blanks])]


def _tests(rows: Sequence[BestRow], tests: Mapping[tuple[str, str], TestFigures]) -> list[Column]:
    read = [
        tests.get((row.architecture_id, row.protocol_hash)) if row.is_complete else None
        for row in rows
    ]
    if not any(read):
        return []
    words = [NONE if each is None else figures_words(each.accuracy) for each in read]
    return [Column("test", words, right=True, optional=2)]


def _latencies(rows: Sequence[BestRow], wanted: StudyObjectives | None) -> list[Column]:
    if wanted is None or not wanted.latencies:
        return []
    found = [wanted.latency(row) for row in rows]
    return [Column("latency", [NONE if ms is None else f"{ms:.3g} ms" for ms in found], right=True)]


def _tags(rows: Sequence[BestRow], tags: Mapping[str, Sequence[str]]) -> list[Column]:
    words = [printable(", ".join(tags.get(row.architecture_id, []))) for row in rows]
    return [Column("tags", words, fold_to=_STUDY_WIDTH, optional=6)] if any(words) else []


def _repeats(rows: Sequence[BestRow]) -> tuple[Column, Column]:
    deviations = [NONE if r.deviation is None else f"±{percent(r.deviation)}" for r in rows]
    return (
        Column("spread", deviations, right=True, optional=3),
        Column("seeds", [str(row.repeats) for row in rows], right=True, optional=3),
    )


def what_of_the_spread(found: Mapping[str, Spread]) -> str:
    """One sentence on what the places mean."""
    if not found:
        return (
            "No architecture was trained more than once: nothing is known of the spread over "
            "seeds, and places may be chance."
        )
    known = sorted(found.values(), key=lambda spread: -spread.freedom)[0]
    return (
        f"One training scatters by ±{percent(known.deviation)} over seeds "
        f"({count(known.freedom, 'degree')} of freedom); places with = are ties at the 5 % level."
    )


def _studies(rows: Sequence[BestRow]) -> Column:
    return Column("study", [row.study for row in rows], optional=3, fold_to=_STUDY_WIDTH)


def operators_table(
    found: list[OperatorRank],
    total: int,
    wanted: StudyObjectives | None = None,
    tried: Mapping[str, StateCounts] | None = None,
) -> FittedTable:
    """The paper's operators and custom mixers: the best network that uses each one throughout.

    Args:
        found: where they stand.
        total: how many architectures are completely trained.
        wanted: as of `leaderboard`.
        tried: what became of the trials of each, to say it of those that gave no accuracy.
    """
    by_name = {each.name: each for each in found}
    ranked = [s for s in found if s.name in PAPER_OPERATORS or is_custom(s.name)]
    custom = [name for name in tried or () if is_custom(name) and OPERATOR_SEPARATOR not in name]
    others = [name for name in (*PAPER_OPERATORS, *custom) if name not in by_name]
    whose = _whose([*(s.name for s in ranked), *others])
    title = f"Where {whose} stand, each in the best network made of it alone"
    rows = [s.row for s in ranked]
    dashes, blanks = [NONE] * len(others), [""] * len(others)
    fates = [state_words((tried or {}).get(name)) for name in others]
    return FittedTable(
        (
            Column("operator", [*(s.name for s in ranked), *others]),
            Column("rank", [*(f"{s.rank} of {total}" for s in ranked), *dashes], right=True),
            Column("accuracy", [*(percent(row.accuracy) for row in rows), *dashes], right=True),
            *_bounds(rows, wanted, len(others)),
            Column("params", [*(short(r.params) for r in rows), *blanks], right=True, optional=2),
            Column("FLOPs", [*(short(r.macs) for r in rows), *blanks], right=True, optional=3),
            Column("epochs", [*(str(r.epochs) for r in rows), *blanks], right=True, optional=5),
            Column("Pareto", [*("yes" if s.on_front else "" for s in ranked), *blanks], optional=4),
            Column(
                "architecture",
                [*(row.architecture_id for row in rows), *fates],
                optional=1,
            ),
        ),
        title,
    )


def _whose(names: Sequence[str]) -> str:
    """What a table of operators has."""
    return "the paper's operators" + (" and custom mixers" if any(map(is_custom, names)) else "")


def paired_comparison(pairs: Sequence[Pair], images: int | None) -> list[RenderableType]:
    """The table of a paired comparison, and what its differences say; nothing if there is none.

    Args:
        pairs: the best first.
        images: on how many the accuracies are measured, where that is known.
    """
    if not pairs:
        return []
    rows = [pair.row for pair in pairs]
    whose = _whose([pair.operator for pair in pairs])
    behind = [NONE if not pair.behind else f"{100 * pair.behind:.2f}" for pair in pairs]
    table = FittedTable(
        (
            Column("operator", [pair.operator for pair in pairs]),
            Column("accuracy", [percent(row.accuracy) for row in rows], right=True),
            Column("points behind", behind, right=True),
            *(_repeats(rows) if any(row.repeats > 1 for row in rows) else ()),
            Column("params", [short(row.params) for row in rows], right=True, optional=2),
            Column("FLOPs", [short(row.macs) for row in rows], right=True, optional=3),
            Column("epochs", [str(row.epochs) for row in rows], right=True, optional=4),
            Column("architecture", [row.architecture_id for row in rows], optional=1),
        ),
        f"Paired: {whose} in one skeleton, equal in all else and trained to the end",
    )
    said = "One training each, so the spread over seeds is not known"
    if any(row.repeats > 1 for row in rows):
        said = "Networks that were trained several times count with their mean"
    if images is not None:
        least = 100 * chance_of_images(pairs, images)
        said += f"; {images:,} images alone tell differences of more than {least:.1f} points apart"
    return [table, Text(f"{said}.", style="dim")]


def front_table(rows: list[Evaluated], objectives: Objectives) -> RenderableType:
    """A line for each architecture, a column for each objective; without any, why there is none."""
    if not rows:
        return Text(no_front(objectives))
    names = [objective.name for objective in objectives]
    longest = max(len(name) for row in rows for name in row.operators.split(" + "))
    return FittedTable(
        (
            Column("architecture", [row.architecture_id for row in rows]),
            *(
                Column(name, [metric_words(name, row.values[name]) for row in rows], right=True)
                for name in names
            ),
            Column("seeds", [str(row.repeats) for row in rows], right=True, optional=1),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        f"Pareto front of {', '.join(names)}; complete trials only",
    )


def no_front(objectives: Objectives) -> str:
    """That nothing is on the front, with the constraints that were to be kept."""
    said = "No completely trained architecture fulfils this"
    if not objectives.constraints:
        return f"{said}."
    return f"{said} and keeps the study's constraints ({bound_words(objectives.constraints)})."
