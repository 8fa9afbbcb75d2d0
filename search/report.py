"""The report at the end of a run: leaderboard, Pareto fronts, the paper's operators, what next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from search.commands import NextCommands
from search.exit_code import ExitCode
from search.query import (
    Aims,
    BestRow,
    Fates,
    OperatorStanding,
    Pair,
    Spread,
    aims,
    best,
    chance_of_images,
    comparison,
    data_sentences,
    fate_words,
    front,
    optimism,
    paired,
    pareto_front,
    places,
    spreads,
    standings,
    tried_alone,
)
from search.runner.outcome import RunOutcome
from search.store import Store, StudySummary, TrialRecord, TrialState
from search.study_name import retrained_name
from search.tables import Column, FittedTable, front_table
from space.cells import LITERATURE_NAMES, PAPER_NAMES
from space.cli.messages import printable
from space.wording import NONE, count, percent, short

PAPER_OPERATORS = (*PAPER_NAMES, LITERATURE_NAMES["window/separable/full/channel/static"])
"""The 12 nodes of the paper's relation graph, and Local MLP of its text."""

_TROUBLE = (TrialState.FAILED, TrialState.INFEASIBLE)
_SHOWN_TROUBLE = 5
_STUDY_WIDTH = 16


PRUNED = "Stopped early: these accuracies compare with none of a complete training"
"""Title of the table of what has no place among the complete."""


def leaderboards(
    rows: Sequence[BestRow],
    title: str,
    *,
    with_study: bool = False,
    spread: Mapping[str, Spread] | None = None,
    aimed: Aims | None = None,
) -> list[FittedTable]:
    """The table of the complete architectures, and apart from it that of the others.

    The arguments are those of `leaderboard`.
    """
    parts = {title: complete(rows), PRUNED: [row for row in rows if not row.is_complete]}
    return [
        leaderboard(part, name, with_study=with_study, spread=spread, aimed=aimed)
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
    aimed: Aims | None = None,
) -> FittedTable:
    """A table of architectures, a line each.

    Args:
        rows: in the order of the table.
        title: what the table shows.
        with_study: whether the rows come from several studies.
        spread: by protocol, for rows by falling accuracy, to call ties what they do not separate.
        aimed: goals of the one study that all rows are of, to mark what breaks its measured bounds.
    """
    longest = max((len(name) for row in rows for name in row.names), default=1)
    return FittedTable(
        (
            Column("#", places(rows, spread or {}), right=True),
            Column("architecture", [row.architecture_id for row in rows]),
            Column("accuracy", [percent(row.accuracy) for row in rows], right=True),
            *_bounds(rows, aimed),
            *(_repeats(rows) if any(row.repeats > 1 for row in rows) else ()),
            Column("params", [short(row.params) for row in rows], right=True, optional=1),
            Column("FLOPs", [short(row.flops) for row in rows], right=True, optional=2),
            Column("epochs", [str(row.epochs) for row in rows], right=True, optional=5),
            Column("state", [str(row.state) for row in rows], optional=4),
            *([_studies(rows)] if with_study else []),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        title,
    )


def _bounds(rows: Sequence[BestRow], aimed: Aims | None, blanks: int = 0) -> list[Column]:
    if aimed is None or not aimed.bounds:
        return []
    return [Column("bounds", [*(aimed.word(row) for row in rows), *[""] * blanks])]


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
    found: list[OperatorStanding],
    total: int,
    aimed: Aims | None = None,
    tried: Mapping[str, Fates] | None = None,
) -> FittedTable:
    """The paper's operators: the best network that uses each one throughout.

    Args:
        found: where they stand.
        total: how many architectures are completely trained.
        aimed: as of `leaderboard`.
        tried: what became of the trials of each, to say it of those that gave no accuracy.
    """
    title = "Where the paper's operators stand, each in the best network made of it alone"
    by_name = {standing.name: standing for standing in found}
    ranked = [s for s in found if s.name in PAPER_OPERATORS]
    others = [name for name in PAPER_OPERATORS if name not in by_name]
    rows = [s.row for s in ranked]
    dashes, blanks = [NONE] * len(others), [""] * len(others)
    fates = [fate_words((tried or {}).get(name)) for name in others]
    return FittedTable(
        (
            Column("operator", [*(s.name for s in ranked), *others]),
            Column("rank", [*(f"{s.rank} of {total}" for s in ranked), *dashes], right=True),
            Column("accuracy", [*(percent(row.accuracy) for row in rows), *dashes], right=True),
            *_bounds(rows, aimed, len(others)),
            Column("params", [*(short(r.params) for r in rows), *blanks], right=True, optional=2),
            Column("FLOPs", [*(short(r.flops) for r in rows), *blanks], right=True, optional=3),
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


def paired_comparison(pairs: Sequence[Pair], images: int | None) -> list[RenderableType]:
    """The table of a paired comparison, and what its differences say; nothing if there is none.

    Args:
        pairs: the best first.
        images: on how many the accuracies are measured, where that is known.
    """
    if not pairs:
        return []
    rows = [pair.row for pair in pairs]
    behind = [NONE if not pair.behind else f"{100 * pair.behind:.2f}" for pair in pairs]
    table = FittedTable(
        (
            Column("operator", [pair.operator for pair in pairs]),
            Column("accuracy", [percent(row.accuracy) for row in rows], right=True),
            Column("points behind", behind, right=True),
            *(_repeats(rows) if any(row.repeats > 1 for row in rows) else ()),
            Column("params", [short(row.params) for row in rows], right=True, optional=2),
            Column("FLOPs", [short(row.flops) for row in rows], right=True, optional=3),
            Column("epochs", [str(row.epochs) for row in rows], right=True, optional=4),
            Column("architecture", [row.architecture_id for row in rows], optional=1),
        ),
        "Paired: the paper's operators in one skeleton, equal in all else and trained to the end",
    )
    said = "One training each, so the spread over seeds is not known"
    if any(row.repeats > 1 for row in rows):
        said = "Networks that were trained several times count with their mean"
    if images is not None:
        least = 100 * chance_of_images(pairs, images)
        said += f"; {images:,} images alone tell differences of more than {least:.1f} points apart"
    return [table, Text(f"{said}.", style="dim")]


def print_report(
    console: Console, store: Store, outcome: RunOutcome, commands: NextCommands
) -> None:
    """Print the whole report.

    Args:
        console: where to.
        store: with the study.
        outcome: of the run.
        commands: to go on with.
    """
    rows = best(store, study=outcome.study, top=None)
    study = store.study(outcome.study)
    parts: list[RenderableType] = [Text(headline(outcome), style="bold")]
    aimed = aims(store, outcome.study)
    parts += paired_comparison(paired(store, outcome.study, rows), outcome.validation_images)
    if rows:
        found = spreads(store, outcome.study)
        tables = _tables(rows, found, aimed, tried_alone(store, outcome.study))
        parts += [*tables, Text(what_of_the_spread(found), style="dim")]
        parts += [Text(said, style="dim") for said in [optimism(rows)] if said is not None]
    if len(aimed.goals.objectives) > 1:
        parts.append(front_table(front(store, outcome.study, aimed.goals), aimed.goals))
    parts += map(Text, aimed.sentences)
    beside = comparison(store, outcome.study)
    parts += [] if beside is None else [Text(beside.sentence)]
    parts += map(Text, data_sentences(study.objective))
    inherits = study.protocol.get("initialisation") == "inherited"
    parts += [Text(_of_inheritance(store.summary(study.id)))] if inherits else []
    parts += _trouble(store.trials(study.id, _TROUBLE))
    parts += [Text("\n".join(f"Note: {note}" for note in outcome.notes))] if outcome.notes else []
    console.print(Group(*(part for pair in parts for part in (pair, Text()))))
    # A command that is folded in the middle cannot be copied.
    lines = _next_lines(outcome, rows, commands, inherits=inherits)
    console.print(Text(lines), soft_wrap=True)


def headline(outcome: RunOutcome) -> str:
    """Such as "Study quickstart: 26 of 26 trials done (10 complete, 16 pruned)."."""
    progress = outcome.progress
    counts = ", ".join(f"{number} {state}" for state, number in progress.counts.items() if number)
    line = f"Study {outcome.study}: {progress.ended} of {count(progress.planned, 'trial')} done"
    line += f" ({counts})." if counts else "."
    if outcome.was_complete:
        line += " There was nothing left to do."
    if _is_exhausted(outcome):
        line += f" The space is exhausted: {outcome.reason}."
    elif outcome.reason is not None:
        word = "Stopped early" if progress.ended < progress.planned else "Failed"
        line += f" {word}: {outcome.reason}."
    return line


def as_json(store: Store, outcome: RunOutcome) -> dict[str, Any]:
    """The report as plain values."""
    rows = best(store, study=outcome.study, top=None)
    whole = complete(rows)
    aimed = aims(store, outcome.study)
    several = len(aimed.goals.objectives) > 1
    beside = comparison(store, outcome.study)
    return {
        "study": outcome.study,
        "exit_code": int(outcome.exit_code),
        "stopped_early": outcome.reason,
        "notes": list(outcome.notes),
        "data": store.study(outcome.study).objective.get("data"),
        "planned_trials": outcome.progress.planned,
        "trials": {str(state): number for state, number in outcome.progress.counts.items()},
        "inherited_trials": store.summary(store.study(outcome.study).id).inherited,
        "against_random_search": None if beside is None else asdict(beside),
        **aimed.plain(),
        "best": [asdict(row) | {"keeps_constraints": aimed.keeps(row)} for row in whole[:10]],
        "pruned": [asdict(row) for row in rows if not row.is_complete][:10],
        "pareto_objectives": [
            asdict(row) for row in (front(store, outcome.study, aimed.goals) if several else ())
        ],
        "pareto_params": [row.architecture_id for row in pareto_front(whole, "params")],
        "pareto_flops": [row.architecture_id for row in pareto_front(whole, "flops")],
        "paired": [
            {
                "name": pair.operator,
                "architecture_id": pair.row.architecture_id,
                "accuracy": pair.row.accuracy,
                "behind": pair.behind,
            }
            for pair in paired(store, outcome.study, rows)
        ],
        "validation_images": outcome.validation_images,
        "operators": [
            {
                "name": standing.name,
                "rank": standing.rank,
                "architecture_id": standing.row.architecture_id,
                "accuracy": standing.row.accuracy,
                "on_front": standing.on_front,
            }
            for standing in standings(whole)
        ],
        "operators_without_accuracy": _without_accuracy(store, outcome.study, whole),
    }


def _without_accuracy(store: Store, study: str, rows: list[BestRow]) -> dict[str, dict[str, int]]:
    """The paper's operators that were tried alone and have no accuracy: trials by state."""
    ranked = {standing.name for standing in standings(rows)}
    return {
        name: {str(state): trials for state, trials in fates.items()}
        for name, fates in tried_alone(store, study).items()
        if name in PAPER_OPERATORS and name not in ranked
    }


def _tables(
    rows: list[BestRow], spread: Mapping[str, Spread], aimed: Aims, tried: Mapping[str, Fates]
) -> list[RenderableType]:
    whole = complete(rows)
    pruned = [row for row in rows if not row.is_complete]
    title = "Pareto front of accuracy against"
    shown = [*whole[:10], *pruned[:10]]
    tables: list[RenderableType] = [
        *leaderboards(shown, "Leaderboard, by validation accuracy", spread=spread, aimed=aimed)
    ]
    if whole:
        tables += [
            leaderboard(pareto_front(whole, "params"), f"{title} params", aimed=aimed),
            leaderboard(pareto_front(whole, "flops"), f"{title} FLOPs", aimed=aimed),
        ]
    tables.append(operators_table(standings(whole), len(whole), aimed, tried))
    note = (
        "Accuracies are of validation images and measured. FLOPs are multiply-accumulates for one "
        "image, from a closed form."
    )
    return [*tables, Text(note, style="dim")]


def _trouble(trials: list[TrialRecord]) -> list[RenderableType]:
    if not trials:
        return []
    lines = [f"{count(len(trials), 'trial')} failed or did not fit:"]
    lines += [
        f"  trial {t.number} ({t.architecture_id}) {t.state}: {printable(str(t.reason))}"
        for t in trials[:_SHOWN_TROUBLE]
    ]
    if len(trials) > _SHOWN_TROUBLE:
        lines.append(f"  and {len(trials) - _SHOWN_TROUBLE} more")
    return [Text("\n".join(lines))]


def _of_inheritance(summary: StudySummary) -> str:
    return (
        f"{summary.inherited:,} of {count(summary.trials, 'trial')} began with inherited weights: "
        "such results do not compare with those from scratch. `repeat`, below, retrains the best "
        f"from scratch in {retrained_name(summary.name)}."
    )


def _next_lines(
    outcome: RunOutcome, rows: list[BestRow], commands: NextCommands, *, inherits: bool
) -> str:
    shown = rows[0].architecture_id if rows else "ARCHITECTURE"
    lines = [
        ("Look", commands.look),
        ("Query", commands.best("dynamics = static and params < 200k")),
        ("Show", commands.show(shown)),
    ]
    if inherits:
        lines.append(("Repeat", commands.repeat))
    if outcome.progress.counts[TrialState.FAILED]:
        lines.append(("Failed", commands.train_again(failed=True, infeasible=False)))
    if not _is_exhausted(outcome):
        progress = outcome.progress
        more = (
            (progress.planned - progress.repeats) * 2
            if progress.ended >= progress.planned
            else None
        )
        lines.append(("Go on", commands.resume(more)))
    first = [] if commands.first is None else [commands.first]
    return "\n".join([*first, *(f"{what + ':':8}{command}" for what, command in lines)])


def _is_exhausted(outcome: RunOutcome) -> bool:
    """Whether every point of the space was tried before the planned number was reached."""
    return outcome.exit_code == ExitCode.DONE and outcome.reason is not None
