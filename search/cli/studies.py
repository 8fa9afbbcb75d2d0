"""`studies`: what is in the store."""

from dataclasses import asdict

import click

from search.cli.options import Command, json_option, print_json, store_option
from search.store import StudySummary, TrialState, open_store
from search.tables import Column, FittedTable
from space.cli.output import stdout_console
from space.wording import ago, percent

_NAME_WIDTH = 20


@click.command("studies", cls=Command)
@store_option()
@json_option
def command(store: str, as_json: bool) -> None:
    """List the studies in the store, the newest first.

    \b
    Examples:
      python -m search studies
      python -m search studies --store postgresql://user@host/mixspace --json
    """
    with open_store(store, create=False) as opened:
        opened.reap()
        found = opened.studies()
    if as_json:
        print_json([asdict(study) for study in found])
    elif found:
        stdout_console().print(_table(found))
    else:
        click.echo(
            "The store holds no study yet; `python -m search run CONFIG` makes one.", err=True
        )


def _table(studies: list[StudySummary]) -> FittedTable:
    def numbers(name: str, state: TrialState, optional: int) -> Column:
        cells = [str(study.counts[state]) for study in studies]
        return Column(name, cells, right=True, optional=optional)

    return FittedTable(
        (
            Column("study", [study.name for study in studies], fold_to=_NAME_WIDTH),
            Column("state", [_state(study) for study in studies]),
            Column("done", [f"{s.ended_trials}/{s.planned_trials}" for s in studies], right=True),
            numbers("complete", TrialState.COMPLETE, 3),
            numbers("pruned", TrialState.PRUNED, 4),
            numbers("failed", TrialState.FAILED, 1),
            numbers("infeasible", TrialState.INFEASIBLE, 5),
            Column("best", [percent(study.best_accuracy) for study in studies], right=True),
            Column("searcher", [study.searcher for study in studies], optional=6),
            Column("last activity", [ago(s.last_activity) for s in studies], optional=2),
        )
    )


def _state(study: StudySummary) -> str:
    if study.is_running:
        return "running"
    if study.ended_trials >= study.planned_trials:
        return "complete"
    return "stopped" if study.exhausted is None else "exhausted"
