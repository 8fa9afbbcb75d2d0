"""The report at the end of a run: leaderboard, Pareto fronts, the paper's operators, what next."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.text import Text

from search.cli.leaderboard_tables import (
    PAPER_OPERATORS,
    complete,
    front_table,
    leaderboard,
    leaderboards,
    operators_table,
    paired_comparison,
    what_of_the_spread,
)
from search.cli.next_commands import NextCommands, labelled
from search.cli.split_table import split_table
from search.exit_code import ExitCode
from search.query import (
    BestRow,
    Spread,
    StateCounts,
    StudyObjectives,
    best,
    compare_splits,
    comparison,
    data_sentences,
    front,
    operator_ranks,
    optimism,
    paired,
    pareto_front,
    proxy_worth,
    ranks,
    spreads,
    study_course,
    study_objectives,
    trials_by_operators,
)
from search.runner.run_outcome import RunOutcome
from search.store import Store, StudySummary, TrialRecord, TrialState
from search.study_name import retrained_name
from space.cli.messages import printable
from space.wording import count

_TROUBLE = (TrialState.FAILED, TrialState.INFEASIBLE)
_SHOWN_TROUBLE = 5


def print_report(
    console: Console, store: Store, outcome: RunOutcome, commands: NextCommands
) -> None:
    """Print the whole report; that of a study of full trainings is one of its own.

    Args:
        console: where to.
        store: with the study.
        outcome: of the run.
        commands: to go on with.
    """
    study = store.studies.get(outcome.study)
    if study.retrains is not None:
        _print_full_trainings(console, store, outcome, commands)
        return
    rows = best(store, study=outcome.study, top=None)
    parts: list[RenderableType] = [Text(headline(outcome), style="bold")]
    wanted = study_objectives(store, outcome.study)
    parts += paired_comparison(paired(store, outcome.study, rows), outcome.validation_images)
    if rows:
        found = spreads(store, outcome.study)
        tables = _tables(rows, found, wanted, trials_by_operators(store, outcome.study))
        parts += [*tables, Text(what_of_the_spread(found), style="dim")]
        parts += [Text(said, style="dim") for said in [optimism(rows)] if said is not None]
    if len(wanted.objectives) > 1:
        parts.append(front_table(front(store, outcome.study, wanted.objectives), wanted.objectives))
    parts += map(Text, wanted.sentences)
    course = study_course(store, outcome.study)
    parts += [] if course.comparison is None else [Text(course.comparison.sentence)]
    parts += [] if course.sentence is None else [Text(course.sentence)]
    parts += map(Text, data_sentences(study.objective))
    parts.append(Text(proxy_worth(store, outcome.study).sentence))
    inherits = study.protocol.get("initialisation") == "inherited"
    parts += [Text(_of_inheritance(store.studies.summary(study.id)))] if inherits else []
    parts += _trouble(store.trials.of_study(study.id, _TROUBLE))
    parts += [Text("\n".join(f"Note: {note}" for note in outcome.notes))] if outcome.notes else []
    lines = _next_lines(outcome, rows, wanted, commands, inherits=inherits)
    _print(console, parts, lines)


def _print(console: Console, parts: list[RenderableType], lines: str) -> None:
    console.print(Group(*(part for pair in parts for part in (pair, Text()))))
    # A command that is folded in the middle cannot be copied.
    console.print(Text(lines), soft_wrap=True)


def _print_full_trainings(
    console: Console, store: Store, outcome: RunOutcome, commands: NextCommands
) -> None:
    """What came of full trainings: their networks by search, validation and test."""
    found = compare_splits(store, outcome.study)
    study = store.studies.get(outcome.study)
    parts: list[RenderableType] = [Text(headline(outcome), style="bold")]
    if found.rows:
        spread = spreads(store, outcome.study)
        # In the order of the table, for which the ranks are.
        rows = {row.architecture_id: row for row in best(store, study=outcome.study, top=None)}
        places = ranks([rows[row.architecture_id] for row in found.rows], spread)
        parts += [split_table(found, places), Text(what_of_the_spread(spread), style="dim")]
        parts += [Text(note) for note in found.notes]
    parts += map(Text, data_sentences(study.objective))
    parts += _trouble(store.trials.of_study(study.id, _TROUBLE))
    parts += [Text("\n".join(f"Note: {note}" for note in outcome.notes))] if outcome.notes else []
    lines = [("Look", commands.look)]
    if found.rows:
        lines.append(("Show", commands.show(found.rows[0].architecture_id)))
        lines += commands.ship(found.rows, study_objectives(store, outcome.study).kept)
    if outcome.progress.counts[TrialState.FAILED]:
        lines.append(("Failed", commands.train_again(failed=True, infeasible=False)))
    if outcome.progress.ended < outcome.progress.planned:
        lines.append(("Go on", commands.resume()))
    first = [] if commands.first is None else [commands.first]
    _print(console, parts, "\n".join([*first, *labelled(lines)]))


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
    wanted = study_objectives(store, outcome.study)
    several = len(wanted.objectives) > 1
    beside = comparison(store, outcome.study)
    return {
        "study": outcome.study,
        "exit_code": int(outcome.exit_code),
        "stopped_early": outcome.reason,
        "notes": list(outcome.notes),
        "data": store.studies.get(outcome.study).objective.get("data"),
        "proxy": proxy_worth(store, outcome.study).plain(),
        "planned_trials": outcome.progress.planned,
        "trials": {str(state): number for state, number in outcome.progress.counts.items()},
        "inherited_trials": store.studies.summary(store.studies.get(outcome.study).id).inherited,
        "against_random_search": None if beside is None else asdict(beside),
        **wanted.plain(),
        "best": [
            row.plain() | {"keeps_constraints": wanted.keeps(row)} | _latency(wanted, row)
            for row in whole[:10]
        ],
        "pruned": [row.plain() for row in rows if not row.is_complete][:10],
        "pareto_objectives": [
            asdict(row)
            for row in (front(store, outcome.study, wanted.objectives) if several else ())
        ],
        "pareto_params": [row.architecture_id for row in pareto_front(whole, "params")],
        "pareto_flops": [row.architecture_id for row in pareto_front(whole, "macs")],
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
        "full_trainings": _full_trainings(store, outcome.study),
        "operators": [
            {
                "name": each.name,
                "rank": each.rank,
                "architecture_id": each.row.architecture_id,
                "accuracy": each.row.accuracy,
                "on_front": each.on_front,
            }
            for each in operator_ranks(whole)
        ],
        "operators_without_accuracy": _without_accuracy(store, outcome.study, whole),
    }


def _full_trainings(store: Store, study: str) -> dict[str, Any] | None:
    """What came of full trainings; None of a search."""
    if store.studies.get(study).retrains is None:
        return None
    return compare_splits(store, study).plain()


def _latency(wanted: StudyObjectives, row: BestRow) -> dict[str, float | None]:
    return {"latency_ms": wanted.latency(row)} if wanted.latencies else {}


def _without_accuracy(store: Store, study: str, rows: list[BestRow]) -> dict[str, dict[str, int]]:
    """The paper's operators that were tried alone and have no accuracy: trials by state."""
    ranked = {each.name for each in operator_ranks(rows)}
    return {
        name: {str(state): trials for state, trials in fates.items()}
        for name, fates in trials_by_operators(store, study).items()
        if name in PAPER_OPERATORS and name not in ranked
    }


def _tables(
    rows: list[BestRow],
    spread: Mapping[str, Spread],
    wanted: StudyObjectives,
    tried: Mapping[str, StateCounts],
) -> list[RenderableType]:
    whole = complete(rows)
    pruned = [row for row in rows if not row.is_complete]
    title = "Pareto front of accuracy against"
    shown = [*whole[:10], *pruned[:10]]
    tables: list[RenderableType] = [
        *leaderboards(shown, "Leaderboard, by validation accuracy", spread=spread, wanted=wanted)
    ]
    if whole:
        tables += [
            leaderboard(pareto_front(whole, "params"), f"{title} params", wanted=wanted),
            leaderboard(pareto_front(whole, "macs"), f"{title} FLOPs", wanted=wanted),
        ]
    tables.append(operators_table(operator_ranks(whole), len(whole), wanted, tried))
    note = (
        "Accuracies are of validation images and measured. FLOPs are multiply-accumulates for one "
        "image, computed from the architecture."
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
    outcome: RunOutcome,
    rows: list[BestRow],
    wanted: StudyObjectives,
    commands: NextCommands,
    *,
    inherits: bool,
) -> str:
    shown = rows[0].architecture_id if rows else "ARCHITECTURE"
    lines = [
        ("Look", commands.look),
        ("Best", commands.best_of_study),
        ("Query", commands.best("dynamics = static and params < 200k")),
        ("Show", commands.show(shown)),
    ]
    if inherits:
        lines.append(("Repeat", commands.repeat))
    elif any(map(wanted.may_be_retrained, rows)):
        lines.append(("Retrain", commands.retrain()))
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
    return "\n".join([*first, *labelled(lines)])


def _is_exhausted(outcome: RunOutcome) -> bool:
    """Whether every point of the space was tried before the planned number was reached."""
    return outcome.exit_code == ExitCode.DONE and outcome.reason is not None
