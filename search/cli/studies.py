"""`studies`: what is in the store."""

from dataclasses import asdict

import click
from rich.table import Table

from search.cli.options import json_option, print_json, stdout_console, store_option
from search.store import StudySummary, TrialState, open_store
from space.wording import ago, percent


@click.command("studies")
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


def _table(studies: list[StudySummary]) -> Table:
    table = Table()
    table.add_column("study", no_wrap=True)
    table.add_column("state")
    for name in ("done", "complete", "pruned", "failed", "infeasible", "best"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("searcher")
    table.add_column("last activity", no_wrap=True)
    for study in studies:
        table.add_row(
            study.name,
            _state(study),
            f"{study.ended_trials}/{study.planned_trials}",
            *(
                str(study.counts[state])
                for state in (
                    TrialState.COMPLETE,
                    TrialState.PRUNED,
                    TrialState.FAILED,
                    TrialState.INFEASIBLE,
                )
            ),
            percent(study.best_accuracy),
            study.searcher,
            ago(study.last_activity),
        )
    return table


def _state(study: StudySummary) -> str:
    if study.is_running:
        return "running"
    return "complete" if study.ended_trials >= study.planned_trials else "stopped"
