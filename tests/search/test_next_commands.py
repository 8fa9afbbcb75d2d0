"""The commands that a run prints are copied and executed as they stand; nothing starts Ray."""

import os
import shlex
from collections.abc import Collection
from functools import partial
from pathlib import Path

import pytest
import yaml

from search.cli.next_commands import NextCommands, next_commands
from search.cli.program import run_program
from search.runner import run as run_module
from search.store import open_store
from tests.search.small import values
from tests.search.without_ray import Player, all_fail, execute, folder, player, printed

__all__ = ["folder", "player"]


SECRET = "postgresql://user:s3cret@host/base"


STORES = [
    [],
    ["--store", "st ore.db"],
    ["--store", "sqlite:///st'ore $HOME.db"],
    ["--set", "store=oth er.db"],
]


INHERITING = ["run", "it's mine.yaml", "--set", "protocol.initialisation=inherited"]


@pytest.mark.parametrize("store", STORES)
def test_every_printed_command_works(
    store: list[str], player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*store, "--set", "protocol.epochs=40", "--set", "data.limit_train=150"]
    options += ["--set", "trials=3", "--set", "space.name=a b"]
    player.stop_after = 2
    assert run_program(["run", "it's mine.yaml", "--study", "first", *options]) == 130
    out, err = capsys.readouterr()
    go_on = err[err.index("To go on: ") + len("To go on: ") :].strip()
    assert go_on == printed(out, "Go on")
    for label in ("Query", "Show"):
        assert execute(printed(out, label)) == 0

    player.stop_after = None
    capsys.readouterr()
    assert execute(go_on) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "3 of 3 trials done" in out

    go_on = printed(out, "Go on")
    assert "trials=3" not in go_on
    assert execute(go_on) == 0
    assert "6 of 6 trials done" in capsys.readouterr().out


@pytest.mark.parametrize("store", STORES)
def test_failed_trials_are_trained_again_by_the_printed_command(
    store: list[str],
    player: Player,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["run", "it's mine.yaml", *store, "--set", "trials=2"]
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", all_fail)
        assert run_program(command) == 1
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    assert last.startswith("Failed: every trial failed: KeyError: 0. To train them again, once ")
    assert execute(last.rpartition(": ")[2]) == 0
    assert "2 of 2 trials done (2 complete)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("too_large", "options"),
    [((0, 1), " --infeasible"), ((1,), " --failed --infeasible"), ((), " --failed")],
)
def test_only_what_there_is_is_asked_for_again(
    too_large: Collection[int],
    options: str,
    player: Player,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "tune_session", partial(all_fail, too_large=too_large))
        assert run_program(["run", "it's mine.yaml", "--set", "trials=2"]) == 1
    last = capsys.readouterr().err.rstrip().splitlines()[-1]
    command = last.rpartition(": ")[2]
    assert command.endswith(options)
    assert execute(command) == 0


def test_the_best_of_a_study_that_inherits_are_retrained_by_the_printed_command(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*INHERITING, "--store", "st ore.db", "--set", "trials=6"]) == 0
    assert execute(printed(capsys.readouterr().out, "Repeat")) == 0
    assert "Study tiny-retrained: 15 of 15 trials done" in capsys.readouterr().out


def test_no_more_are_retrained_than_the_study_has_complete(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*INHERITING, "--store", "a.db"]) == 0
    assert run_program(["repeat", "tiny", "--top", "9", "--seeds", "2", "--store", "a.db"]) == 0
    assert "Study tiny-retrained: 8 of 8 trials done" in capsys.readouterr().out
    with open_store("a.db", create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny-retrained").id)
    assert {trial.origin for trial in trials} == {f"retrains trial {n}" for n in range(4)}


def test_each_network_that_is_retrained_later_gets_as_many_seeds_as_those_before(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*INHERITING, "--store", "a.db"]) == 0
    assert run_program(["repeat", "tiny", "--top", "1", "--seeds", "2", "--store", "a.db"]) == 0
    capsys.readouterr()
    assert run_program(["continue", "tiny-retrained", "--trials", "3", "--store", "a.db"]) == 0
    assert "Study tiny-retrained: 6 of 6 trials done" in capsys.readouterr().out


@pytest.mark.parametrize("initialisation", ["scratch", "inherited"])
def test_a_study_without_a_complete_trial_is_refused_before_ray_starts(
    initialisation: str, player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    player.stop_after = 0
    inherit = ["--set", f"protocol.initialisation={initialisation}"]
    assert run_program(["run", "it's mine.yaml", "--store", "a.db", *inherit]) == 130
    capsys.readouterr()
    assert run_program(["repeat", "tiny", "--store", "a.db"]) == 2
    err = capsys.readouterr().err
    assert "'tiny' has no complete trial to re" in err
    assert "Ray" not in err


def test_the_default_store_is_named_where_the_configuration_names_another(
    player: Player, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b.yaml").write_text(yaml.safe_dump(values(store="other.db")))
    player.stop_after = 1
    assert run_program(["run", "b.yaml", "--store", "mixspace.db"]) == 130
    player.stop_after = None
    assert execute(printed(capsys.readouterr().out, "Go on")) == 0
    assert not (folder / "other.db").exists()


def test_of_a_field_that_was_set_twice_the_last_counts() -> None:
    sets = ["trials=3", "space.name=a", "trials=5", "seed=2"]
    commands = NextCommands("c.yaml", "s", overrides=sets)
    assert commands.resume().endswith("--resume --set space.name=a --set trials=5 --set seed=2")
    whole = ["searcher.startup=3", "searcher={name: random}", "searcher.startup=5"]
    assert (
        NextCommands("c.yaml", "s", overrides=whole)
        .resume()
        .endswith("--resume --set 'searcher={name: random}' --set searcher.startup=5")
    )
    assert commands.resume(9).endswith("--resume --set space.name=a --set seed=2 --set trials=9")


@pytest.mark.parametrize("url", [SECRET, "postgresql://host/base?password=s3cret"])
def test_a_password_is_taken_from_the_environment(url: str) -> None:
    overrides = (f"store={url}", f" store ={url}", "seed=1")
    commands = next_commands("a.yaml", "tiny", url, overrides, store_given=False)
    assert commands.first is not None
    lines = [commands.look, commands.best("depth > 1"), commands.show("ab"), commands.resume()]
    for line in [*lines, commands.first]:
        assert "s3cret" not in line
        assert "***" not in line
    assert all('--store "$MIXSPACE_STORE"' in line for line in lines[1:])
    assert lines[0] == "python -m search dashboard"
    assert lines[3].endswith(" --resume --set seed=1")


def test_a_store_of_the_environment_need_not_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_STORE", SECRET)
    same = next_commands("a.yaml", "tiny", SECRET, (), store_given=True)
    assert (same.first, same.store) == (None, None)
    other = next_commands("a.yaml", "tiny", "mixspace.db", (), store_given=True)
    assert "--store mixspace.db" in other.resume()


def test_the_dashboard_gets_a_quoted_store(folder: Path) -> None:
    line = NextCommands("a.yaml", "tiny", "st ore.db").look
    assert shlex.split(line) == ["python", "-m", "search", "dashboard", "--store", "st ore.db"]
    assert "MIXSPACE_STORE" not in os.environ
