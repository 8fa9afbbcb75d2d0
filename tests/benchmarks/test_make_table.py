"""Making the table: a journal that survives everything, and a command that goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.make_table import main
from benchmarks.table.journal import Journal
from benchmarks.table.plan import EverySeedInTurn, one_of_every_mixer_type, planned
from benchmarks.table.read import TabularBenchmark, longer_table
from benchmarks.table.spec import OPERATORS_TABLE
from space import Architecture, cost
from space.errors import InputError
from tests.benchmarks.synthetic import TINY, trainings

CODE = "from benchmarks.make_table import main; from tests.benchmarks.synthetic import TINY; "


def arguments(folder: Path, *more: str) -> list[str]:
    named = {"journal": "journal.jsonl", "table": "table.parquet", "card": "card.md"}
    places = [word for name, file in named.items() for word in (f"--{name}", str(folder / file))]
    (folder / "card.md").touch()
    return [*places, "--workers", "1", "--repeated", "1", "--limit", "4", *more]


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines() if journal.exists() else []


@pytest.mark.slow
def test_a_killed_command_goes_on_where_it_was(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", f"{CODE}main({arguments(tmp_path)!r}, TINY)"]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 120
    while not lines(journal) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    log.close()
    survived = lines(journal)
    assert survived, (tmp_path / "log").read_text()
    _wait_for_the_end_of_group(process.pid)
    survived = lines(journal)

    with journal.open("a") as file:
        file.write('{"protocol_hash": "8f22e7cf64')  # as a kill in the middle of a write leaves it
    main(arguments(tmp_path), TINY)
    assert lines(journal)[: len(survived)] == survived

    plan = list(planned(TINY.space().enumerate(), TINY.seeds, repeated=1))[:4]
    benchmark = TabularBenchmark(tmp_path / "table.parquet", TINY.bound_protocol().hash)
    assert {(name, s) for name in benchmark.architectures for s in benchmark.trainings(name)} == {
        (architecture.id, seed) for architecture, seed in plan
    }
    read = Journal(journal, TINY.bound_protocol().hash).read()
    assert len(read) == 4  # nothing was trained twice

    before = journal.read_bytes()
    main(arguments(tmp_path, "--write-only", "--limit", "9"), TINY)
    assert journal.read_bytes() == before

    journal.unlink()  # on another machine there is only the table
    main(arguments(tmp_path), TINY)
    assert not journal.exists()
    again = TabularBenchmark(tmp_path / "table.parquet", TINY.bound_protocol().hash)
    assert list(again.architectures) == list(benchmark.architectures)


def _wait_for_the_end_of_group(group: int) -> None:
    """The processes of a killed command end by themselves; nobody else ends them here."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("workers outlived the command")


def test_half_a_line_is_passed_over_wherever_it_ends(tmp_path: Path) -> None:
    some = trainings(list(TINY.space().enumerate())[:3])
    for cut in (1, 30, 200):
        path = tmp_path / f"{cut}.jsonl"
        journal = Journal(path, "a")
        journal.append(some[0])
        journal.append(some[1])
        path.write_bytes(path.read_bytes()[:-cut])
        journal.append(some[2])
        whole = [some[0], some[1], some[2]] if cut == 1 else [some[0], some[2]]
        assert journal.read() == whole


def test_trainings_of_another_protocol_are_not_read(tmp_path: Path) -> None:
    one, other = trainings(list(TINY.space().enumerate())[:2])
    Journal(tmp_path / "journal", "a").append(one)
    Journal(tmp_path / "journal", "b").append(other)
    assert Journal(tmp_path / "journal", "a").read() == [one]
    assert Journal(tmp_path / "journal", "b").read() == [other]
    assert Journal(tmp_path / "nothing", "a").read() == []


def test_every_beginning_of_the_plan_is_the_same_whatever_the_order_of_the_space() -> None:
    space = list(TINY.space().enumerate())
    plan = list(planned(space, (0, 1, 2), repeated=5))
    assert plan == list(planned(space[::-1], (0, 1, 2), repeated=5))
    assert len(plan) == len(space) + 10
    assert [seed for _, seed in plan[:16]] == [0, 1, 2] * 5 + [0]


def test_the_longer_trainings_have_every_mixer_type_once() -> None:
    space = list(TINY.space().enumerate())
    chosen = list(one_of_every_mixer_type(space))
    assert chosen == list(one_of_every_mixer_type(space[::-1]))
    mixer_types = [architecture.stages[0].mixers[0].type for architecture in chosen]
    assert len(mixer_types) == len(set(mixer_types))
    assert set(mixer_types) == {a.stages[0].mixers[0].type for a in space}


@pytest.mark.thorough
def test_longer_trainings_are_a_file_of_their_own_beside_the_table(tmp_path: Path) -> None:
    main(arguments(tmp_path, "--variant", "longer", "--limit", "1"), TINY)
    assert not (tmp_path / "table.parquet").exists()
    longer = TabularBenchmark(longer_table(tmp_path / "table.parquet"))
    assert longer.epochs == TINY.variants["longer"]["epochs"]
    (name,) = longer.architectures
    assert name == next(one_of_every_mixer_type(TINY.space().enumerate())).id
    (training,) = longer.trainings(name).values()
    assert len(training.validation_accuracy) == longer.epochs


def test_the_plan_begins_with_every_mixer_type_and_has_every_training_once() -> None:
    space = list(TINY.space().enumerate())
    plan = list(planned(space, (0, 1, 2), repeated=110))
    assert len(plan) == len(set(plan)) == len(space) + 2 * 110
    mixer_types = [a.stages[0].mixers[0].type for a, seed in plan[: 3 * 74] if seed == 0]
    assert len(mixer_types) == len(set(mixer_types)) == 74
    assert [seed for _, seed in plan[: 3 * 110]] == [0, 1, 2] * 110
    assert {seed for _, seed in plan[3 * 110 :]} == {0}
    assert list(planned(space[::-1], (0, 1, 2), repeated=110)) == plan


def test_seeds_in_turn_take_every_network_once_a_seed_and_the_usual_kernels_first() -> None:
    space = list(OPERATORS_TABLE.space().enumerate())
    plan = list(EverySeedInTurn(kernel_size=7).trainings(space, (0, 1, 2)))
    assert plan == list(EverySeedInTurn(kernel_size=7).trainings(space[::-1], (0, 1, 2)))
    assert plan == OPERATORS_TABLE.trainings()
    assert len(plan) == len(set(plan)) == 3 * len(space)
    count = len(space)
    assert [seed for _, seed in plan] == [0] * count + [1] * count + [2] * count
    assert [each for each, _ in plan[:count]] == [each for each, _ in plan[count : 2 * count]]
    largest = [cost(each).params > 5_000_000 for each, _ in plan[:count]]
    assert largest == [False] * (count - 3) + [True] * 3  # MLP in every type of block
    first = [_kernel(each) in (None, 7) for each, _ in plan[: count - 3]]
    assert first == sorted(first, reverse=True)
    core = [each for each, _ in plan[: sum(first)]]
    by_block = [
        {each.stages[0].mixers[0].name for each in core if each.block_type == block}
        for block in ("conv", "prenorm", "convnext")
    ]
    assert by_block[0] == by_block[1] == by_block[2]


def _kernel(architecture: Architecture) -> int | None:
    return architecture.stages[0].mixers[0].kernel_size


def test_a_variant_takes_a_sample_with_one_seed_by_another_protocol() -> None:
    longer = OPERATORS_TABLE.as_variant("longer")
    plan = longer.trainings()
    assert {architecture.block_type for architecture, _ in plan} == {"prenorm"}
    types = [architecture.stages[0].mixers[0].type for architecture, _ in plan]
    space = OPERATORS_TABLE.space().enumerate()
    assert len(types) == len(set(types)) == len({a.stages[0].mixers[0].type for a in space})
    assert {seed for _, seed in plan} == {0}
    assert longer.protocol.epochs > OPERATORS_TABLE.protocol.epochs
    assert longer.protocol.hash != OPERATORS_TABLE.protocol.hash
    with pytest.raises(InputError, match="has no 'louder'"):
        OPERATORS_TABLE.as_variant("louder")


def test_where_every_network_has_every_seed_none_are_picked_for_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has every seed of every architecture"):
        main(["fashion-operators", "--repeated", "4", "--journal", str(tmp_path / "j")])
    assert not list(tmp_path.iterdir())
