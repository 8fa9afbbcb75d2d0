"""`studies`: what the store holds; `upgrade`: bring it to the schema of this version."""

from collections.abc import Container, Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

import click

from search.cli.options import store_option
from search.objectives import judged_by
from search.query import optimism_of, study_objectives
from search.store import Store, StudySummary, TrialState, open_store, open_to_read
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.errors import InputError
from space.wording import ago, percent

_NAME_WIDTH = 20


@click.command("studies")
@store_option()
@json_option
def command(store: str, as_json: bool) -> None:
    """List the studies in the store, the newest first.

    Reused trials took over a result of another study with the same protocol, repeated ones train
    an architecture again with other seeds, continued ones went on after they were pruned, and
    inherited ones began with another trial's weights; all of them are in the other counts too.
    Under best: the highest accuracy of any single complete training, while `best` shows means
    over seeds. A * after it: the study wants, or bounds, more than that; a line below the
    table says what. Another line names the studies whose accuracies are those of the best epoch,
    which is optimistic.

    A narrow terminal leaves columns out; --json has all.

    \b
    Examples:
      python -m search studies
      python -m search studies --store postgresql://user@host/mixspace --json
    """
    with open_to_read(store) as opened:
        found = opened.studies.summaries()
        wanted = {study.name: _wanted(opened, study.name) for study in found}
        protocols = {study.name: opened.studies.get(study.name).protocol for study in found}
    if as_json:
        rules = {name: {"judged_by": judged_by(each)} for name, each in protocols.items()}
        print_json([asdict(each) | wanted[each.name].plain | rules[each.name] for each in found])
    elif found:
        said = {name: each.sentences for name, each in wanted.items() if each.sentences}
        stdout_console().print(_table(found, said))
        for name, sentences in said.items():
            click.echo(printable(f"* {name}: {' '.join(sentences)}"), err=True)
        if (optimistic := optimism_of(protocols.items())) is not None:
            click.echo(printable(optimistic), err=True)
    else:
        click.echo(
            "The store holds no study yet; `python -m search run CONFIG` makes one.", err=True
        )


class _Wanted(NamedTuple):
    sentences: list[str]
    plain: dict[str, Any]


def _wanted(store: Store, study: str) -> _Wanted:
    """What a study is for, or that it is not known here: the other studies are shown all the same.

    A newer version, or a program of one's own, may have evaluated what this one does not.
    """
    try:
        found = study_objectives(store, study)
    except InputError as error:
        why = "; ".join(map(str, error.problems))
        unknown = dict.fromkeys(("objectives", "constraints", "keeping_constraints"))
        return _Wanted([f"Its objectives are not known to this version ({why})."], unknown)
    return _Wanted(found.sentences, found.plain())


def _table(studies: list[StudySummary], marked: Container[str] = ()) -> FittedTable:
    done = [f"{study.ended_trials}/{study.all_planned_trials}" for study in studies]

    def numbers(name: str, counts: Iterable[int], optional: int) -> Column:
        return Column(name, [str(count) for count in counts], right=True, optional=optional)

    def ended(state: TrialState, optional: int) -> Column:
        return numbers(str(state), (study.counts[state] for study in studies), optional)

    return FittedTable(
        (
            Column("study", [study.name for study in studies], fold_to=_NAME_WIDTH),
            Column("state", [_state(study) for study in studies]),
            Column("done", done, right=True),
            ended(TrialState.COMPLETE, 3),
            ended(TrialState.PRUNED, 4),
            ended(TrialState.FAILED, 1),
            ended(TrialState.INFEASIBLE, 5),
            ended(TrialState.PREEMPTED, 7),
            numbers("reused", (study.reused for study in studies), 8),
            numbers("repeated", (study.repeated for study in studies), 9),
            numbers("continued", (study.continued for study in studies), 10),
            numbers("inherited", (study.inherited for study in studies), 11),
            Column("best", [_best(study, marked) for study in studies], right=True),
            Column("searcher", [study.searcher for study in studies], optional=6),
            Column("last activity", [ago(s.last_activity) for s in studies], optional=2),
        )
    )


def _best(study: StudySummary, marked: Container[str]) -> str:
    return percent(study.best_accuracy) + ("*" if study.name in marked else "")


def _state(study: StudySummary) -> str:
    if study.is_running:
        return "running"
    if study.is_done:
        return "complete"
    return "stopped" if study.exhausted is None else "exhausted"


@click.command("upgrade")
@store_option()
def upgrade_command(store: str) -> None:
    """Bring a store of an earlier version up to date.

    `run`, `continue` and `repeat` do it by themselves. `best`, `show`, `studies` and the dashboard
    never do: of a file they read a copy that is brought up to date, which takes a while for a
    large one, and a server's store they refuse. Nothing is lost; the earlier version cannot read
    the store any more.

    \b
    Examples:
      python -m search upgrade
      python -m search upgrade --store postgresql://user@host/mixspace
    """
    with open_store(store, create=False) as opened:
        click.echo(f"{opened.url} is up to date.", err=True)
