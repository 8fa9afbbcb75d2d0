"""The report at the end of a run: leaderboard, Pareto fronts, the paper's operators, what next."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.query import BestRow, OperatorStanding, best, pareto_front, standings
from search.runner.outcome import RunOutcome
from search.store import Store, TrialRecord, TrialState
from space.cells import LITERATURE_NAMES, PAPER_NAMES
from space.wording import count, percent, short

PAPER_OPERATORS = (*PAPER_NAMES, LITERATURE_NAMES["window/separable/full/channel/static"])
"""The 12 nodes of the paper's relation graph, and Local MLP of its text."""

_TROUBLE = (TrialState.FAILED, TrialState.INFEASIBLE)
_SHOWN_TROUBLE = 5


def leaderboard(rows: Sequence[BestRow], title: str, *, with_study: bool = False) -> Table:
    """A table of architectures, a line each.

    Args:
        rows: in the order of the table.
        title: what the table shows.
        with_study: whether the rows come from several studies.
    """
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("#", justify="right")
    table.add_column("architecture", no_wrap=True)
    for name in ("accuracy", "params", "FLOPs", "epochs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state")
    if with_study:
        table.add_column("study")
    table.add_column("token mixers", overflow="fold")
    for place, row in enumerate(rows, 1):
        study = [row.study] if with_study else []
        table.add_row(
            str(place),
            row.architecture_id,
            percent(row.accuracy),
            short(row.params),
            short(row.flops),
            str(row.epochs),
            str(row.state),
            *study,
            row.operators,
        )
    return table


def print_report(
    console: Console, store: Store, outcome: RunOutcome, *, config: str, store_option: str
) -> None:
    """Print the whole report.

    Args:
        console: where to.
        store: with the study.
        outcome: of the run.
        config: path of the configuration, for the commands to go on with.
        store_option: what these commands need to find the store, such as " --store x.db".
    """
    rows = best(store, study=outcome.study, top=None)
    study = store.study(outcome.study)
    parts: list[RenderableType] = [Text(headline(outcome), style="bold")]
    if rows:
        parts += _tables(rows)
    parts += _trouble(store.trials(study.id, _TROUBLE))
    console.print(Group(*(part for pair in parts for part in (pair, Text()))))
    # A command that is folded in the middle cannot be copied.
    console.print(_next_commands(outcome, rows, config, store_option), soft_wrap=True, markup=False)


def headline(outcome: RunOutcome) -> str:
    """Such as "Study quickstart: 26 of 26 trials done (10 complete, 16 pruned)."."""
    stand = outcome.stand
    counts = ", ".join(f"{number} {state}" for state, number in stand.counts.items() if number)
    line = f"Study {outcome.study}: {stand.ended} of {count(stand.planned, 'trial')} done"
    line += f" ({counts})." if counts else "."
    if outcome.was_complete:
        line += " There was nothing left to do."
    if outcome.reason is not None:
        line += f" Stopped early: {outcome.reason}."
    return line


def as_json(store: Store, outcome: RunOutcome) -> dict[str, Any]:
    """The report as plain values."""
    rows = best(store, study=outcome.study, top=None)
    return {
        "study": outcome.study,
        "exit_code": int(outcome.exit_code),
        "stopped_early": outcome.reason,
        "planned_trials": outcome.stand.planned,
        "trials": {str(state): number for state, number in outcome.stand.counts.items()},
        "best": [asdict(row) for row in rows[:10]],
        "pareto_params": [row.architecture_id for row in pareto_front(rows, "params")],
        "pareto_flops": [row.architecture_id for row in pareto_front(rows, "flops")],
        "operators": [
            {
                "name": standing.name,
                "rank": standing.rank,
                "architecture_id": standing.row.architecture_id,
                "accuracy": standing.row.accuracy,
                "on_front": standing.on_front,
            }
            for standing in standings(rows)
        ],
    }


def _tables(rows: list[BestRow]) -> list[RenderableType]:
    epochs = {row.epochs for row in rows}
    tables: list[RenderableType] = [
        leaderboard(rows[:10], "Leaderboard, by best validation accuracy"),
        leaderboard(pareto_front(rows, "params"), "Pareto front of accuracy against params"),
        leaderboard(pareto_front(rows, "flops"), "Pareto front of accuracy against FLOPs"),
        _operators(standings(rows), len(rows)),
    ]
    if len(epochs) > 1:
        note = (
            "Accuracies are of validation images and measured, one seed each; trials with fewer "
            "epochs were pruned, and would have gone further. FLOPs are multiply-accumulates for "
            "one image, from a closed form."
        )
        tables.append(Text(note, style="dim"))
    return tables


def _operators(found: list[OperatorStanding], total: int) -> Table:
    """The paper's operators: the best network that uses each one throughout."""
    title = "Where the paper's operators stand, each in the best network made of it alone"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("operator", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    for name in ("accuracy", "params", "FLOPs", "epochs"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Pareto", justify="center")
    table.add_column("architecture", no_wrap=True)
    by_name = {standing.name: standing for standing in found}
    for standing in (s for s in found if s.name in PAPER_OPERATORS):
        row = standing.row
        table.add_row(
            standing.name,
            f"{standing.rank} of {total}",
            percent(row.accuracy),
            short(row.params),
            short(row.flops),
            str(row.epochs),
            "yes" if standing.on_front else "",
            row.architecture_id,
        )
    for name in PAPER_OPERATORS:
        if name not in by_name:
            table.add_row(name, "–", "not tried alone", style="dim")
    return table


def _trouble(trials: list[TrialRecord]) -> list[RenderableType]:
    if not trials:
        return []
    lines = [f"{count(len(trials), 'trial')} failed or did not fit:"]
    lines += [
        f"  trial {t.number} ({t.architecture_id}) {t.state}: {t.reason}"
        for t in trials[:_SHOWN_TROUBLE]
    ]
    if len(trials) > _SHOWN_TROUBLE:
        lines.append(f"  and {len(trials) - _SHOWN_TROUBLE} more")
    return [Text("\n".join(lines))]


def _next_commands(outcome: RunOutcome, rows: list[BestRow], config: str, store_option: str) -> str:
    program = "python -m search"
    resume = f"{program} run {config} --study {outcome.study}{store_option} --resume"
    ended = outcome.stand.ended >= outcome.stand.planned
    more = f" --set trials={outcome.stand.planned * 2}" if ended else ""
    where = '"dynamics = static and params < 200k"'
    shown = rows[0].architecture_id if rows else "ARCHITECTURE"
    look = f"MIXSPACE_STORE={store_option.split()[-1]} " if store_option else ""
    lines = [
        ("Look", f"{look}streamlit run dashboard"),
        ("Query", f"{program} best{store_option} --where {where} --top 3"),
        ("Show", f"{program} show {shown}{store_option}"),
        ("Go on", f"{resume}{more}"),
    ]
    return "\n".join(f"{what + ':':8}{command}" for what, command in lines)
