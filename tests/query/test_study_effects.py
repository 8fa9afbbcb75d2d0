"""Effects of design decisions by what stores and tables have, and as they are printed."""

import json
from pathlib import Path

import pandas as pd
import pytest

import mixspace
from search.cli.program import run_program
from search.query import StudyEffects, study_effects, table_effects
from search.store import Store, StudyRecord
from space import Architecture
from space.cost import cost
from space.errors import InputError, Problem
from space.mixer import Mixer
from tests.query.curves import study_of
from tests.search.test_effects import network
from tests.support.samples import begin_run, epoch

TABLE = Path(__file__).parents[2] / "benchmarks" / "table" / "fashion-cells.parquet"
DW = Mixer.named("DW-S Conv.", kernel_size=3)
DYNAMIC = Mixer.named("Dynamic DW-S Conv.", kernel_size=3)
EDGE = "DW-S Conv. → Dynamic DW-S Conv."


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


def train(
    store: Store,
    study: StudyRecord,
    text: str,
    accuracy: float,
    seed: int = 0,
    epochs: int | None = None,
) -> None:
    whole = int(study.protocol["epochs"])
    run = next(iter(store.runs.of_study(study.id)), None) or begin_run(store, study.id)
    architecture = Architecture.from_json(text)
    costs = cost(architecture)
    trial = store.trials.add(
        study.id,
        run.id,
        architecture,
        params=costs.params,
        macs=costs.macs,
        origin="random",
        seeds={"initialisation": seed, "data_order": seed},
        decisions=[],
        repeat=seed,
    )
    store.trials.start(trial.id, run.id)
    for place in range(1, (epochs or whole) + 1):
        now = accuracy - 0.01 * (whole - place)
        store.epochs.record(trial.id, epoch(place, now, seconds=2.0))
    store.trials.finish(trial.id, *(["complete"] if epochs is None else ["pruned", "rung"]))


def fill(store: Store, study: StudyRecord, effect: float, base: float = 0.5) -> None:
    for depth in (1, 2, 3, 4):
        train(store, study, network(DW, depth=depth), base + depth / 100)
        # what the move does scatters a little over the networks
        worth = base + depth / 100 + effect + (depth - 2.5) / 1000
        train(store, study, network(DYNAMIC, depth=depth), worth)


def told(found: StudyEffects, name: str = EDGE) -> tuple[float, int, str]:
    effect = next(each for each in found.effects if each.move.name == name)
    return effect.accuracy.mean, effect.accuracy.contexts, effect.verdict


def test_studies_of_one_protocol_are_taken_together_and_others_apart(store: Store) -> None:
    fill(store, study_of(store, "a"), 0.02)
    fill(store, study_of(store, "b", 9), -0.3)
    both = study_effects(store, ["a", "b"])
    assert [each.studies for each in both] == [("a",), ("b",)]
    assert "apart" not in both[0].notes[0]
    assert "has effects of its own" in both[0].notes[0]
    assert told(both[0]) == (pytest.approx(0.02), 4, "helps")
    assert told(both[1]) == (pytest.approx(-0.3), 4, "hurts")


def test_pruned_trials_are_no_results(store: Store) -> None:
    study = study_of(store, "s")
    fill(store, study, 0.02)
    train(store, study, network(DW, depth=5), 0.9, epochs=2)
    train(store, study, network(DYNAMIC, depth=5), 0.1)
    assert told(study_effects(store, ["s"])[0])[:2] == (pytest.approx(0.02), 4)


def test_a_clause_leaves_trainings_out_and_a_note_says_how_many(store: Store) -> None:
    study = study_of(store, "s")
    fill(store, study, 0.02)
    train(store, study, network(DW, depth=5), 0.9, epochs=2)  # pruned, and no result anyway
    (found,) = study_effects(store, ["s"], where="depth <= 2")
    assert told(found)[:2] == (pytest.approx(0.019), 2)
    assert found.networks == 4
    assert "Left out: 4 complete trials of 8 by the clause." in found.notes
    (whole,) = study_effects(store, ["s"], where="depth < 9")
    assert whole == study_effects(store, ["s"])[0]
    (picked,) = study_effects(store, ["s"], where="accuracy > 0.52")
    assert any("picks trials by their accuracy" in note for note in picked.notes)
    (none,) = study_effects(store, ["s"], where="name = 'my mixer'")
    assert (none.networks, told(none)[1]) == (0, 0)
    assert any("'my mixer' is no operator" in note for note in none.notes)
    with pytest.raises(InputError, match="unknown field 'colour'"):
        study_effects(store, ["s"], where="colour = red")


def test_a_clause_is_of_every_study_and_keeps_protocols_apart(store: Store) -> None:
    fill(store, study_of(store, "a"), 0.02)
    fill(store, study_of(store, "b"), 0.02)
    fill(store, study_of(store, "c", 9), -0.3)
    found = study_effects(store, ["a", "b", "c"], where="study != b and depth > 1")
    assert [(each.studies, each.networks) for each in found] == [(("a", "b"), 6), (("c",), 6)]
    assert told(found[1])[0] == pytest.approx(-0.3, abs=0.01)


def test_costs_stand_beside_and_seeds_are_told(store: Store) -> None:
    study = study_of(store, "s")
    fill(store, study, 0.0)
    train(store, study, network(DW, depth=1), 0.52, seed=1)
    (found,) = study_effects(store, ["s"])
    effect = next(each for each in found.effects if each.move.name == EDGE)
    assert set(effect.ratios) == {"params", "macs", "training_bytes", "seconds"}
    assert effect.ratios["params"] > 1
    assert effect.ratios["seconds"] == pytest.approx(1.0)
    assert any("scatter by 0.71 points" in note for note in found.notes)


def test_an_unknown_study_and_what_is_no_table_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        study_effects(store, ["s"])
    with pytest.raises(InputError, match="cannot be read"):
        table_effects(tmp_path / "gone.parquet")
    (tmp_path / "text.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="cannot be read"):
        table_effects(tmp_path / "text.parquet")


def test_the_table_of_the_project_shows_every_edge() -> None:
    found = table_effects(TABLE)
    edges = [each for each in found.effects if each.move.kind == "edge"]
    assert len(edges) == 13
    assert all(each.accuracy.contexts == 12 and len(each.by_block_type) == 3 for each in edges)
    assert found.networks == 1176
    mean, contexts, verdict = told(found, "kernel size: 3 → 5")
    assert (round(100 * mean, 2), contexts, verdict) == (1.44, 12, "helps")
    page = (TABLE.parents[2] / "docs" / "effects.md").read_text()
    for each in edges:
        whole = each.accuracy
        interval = f"[{100 * whole.low:+.2f}, {100 * whole.high:+.2f}]"
        parts = [each.by_block_type[name].mean for name in ("conv", "prenorm", "convnext")]
        cells = [f"{100 * whole.mean:+.2f} {interval}", str(each.pairs)]
        cells += [f"{100 * part:+.2f}" for part in parts]
        row = " | ".join([each.move.name, *cells, f"{each.ratios['params']:.2f}", each.verdict])
        assert f"| {row} |" in page


def test_the_command_prints_it_and_writes_json(
    store: Store, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(store, study_of(store, "s"), 0.02)
    capsys.readouterr()
    assert run_program(["effects", "s", "--store", store_url]) == 0
    out, err = capsys.readouterr()
    assert EDGE in out
    assert "+2.00" in out
    assert "8 networks, judged after 4 epochs" in err
    assert run_program(["effects", "s", "--store", store_url, "--axis", "dynamics"]) == 0
    out, _ = capsys.readouterr()
    assert "dynamics: static → homogeneous" in out
    assert "relation graph" not in out
    assert run_program(["effects", "s", "--store", store_url, "--axis", "ratio"]) == 0
    assert "No two networks are equal in all but one such move" in capsys.readouterr().err
    asked = ["effects", "s", "--store", store_url, "--where", "depth in (1, 2)"]
    assert run_program(asked) == 0
    out, err = capsys.readouterr()
    assert "+1.90" in out
    assert "4 complete trials of 8 by the clause" in err
    assert run_program([*asked[:-1], "colour = red"]) == 2
    assert "unknown field 'colour'" in capsys.readouterr().err
    assert run_program(["effects", str(TABLE), "--where", "depth = 1"]) == 2
    assert "is asked of studies in a store" in capsys.readouterr().err
    assert run_program(["effects", "s", "--store", store_url, "--json"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    (row,) = (e for e in plain["effects"] if e["name"] == EDGE and e["move"]["kind"] == "edge")
    assert row["accuracy"]["mean"] == pytest.approx(0.02)
    assert row["p_turns"] is None


@pytest.mark.thorough
def test_the_command_draws_the_measured_graph(
    store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(store, study_of(store, "a"), 0.02)
    fill(store, study_of(store, "b"), 0.02)
    fill(store, study_of(store, "c", 9), 0.02)
    page = tmp_path / "graph.html"

    def effects(*names: str, out: Path = page) -> int:
        page.unlink(missing_ok=True)
        return run_program(["effects", *names, "--store", store_url, "--plot", str(out)])

    for names in (("a",), ("a", "b"), (str(TABLE), "--axis", "edges")):
        assert effects(*names) == 0
        drawn = page.read_text()
        drawn = drawn[drawn.rindex("Plotly.newPlot") :]
        assert "The relation graph of token mixers, measured" in drawn
        assert ("+2.00" in drawn) is (names[0] == "a")
        assert ("-12.69" in drawn) is (names[0] != "a")
        assert ("nodes: best" in drawn) is (names == ("a",))
        assert f"{page} shows the relation" in capsys.readouterr().err
    assert effects("a", "c") == 2
    assert "these studies have 2" in capsys.readouterr().err
    assert effects("a", "--where", "depth = 9") == 0
    assert "no two networks differ by an edge alone" in page.read_text()
    assert effects("gone", out=tmp_path / "graph.pdf") == 2
    assert "has none of the endings" in capsys.readouterr().err


def test_from_python_it_is_a_table(store: Store, store_url: str) -> None:
    fill(store, study_of(store, "s"), 0.02)
    frame = mixspace.Study("s", store_url).effects()
    row = frame[(frame.move == EDGE) & (frame.kind == "edge")].iloc[0]
    assert (row.effect, row.verdict, row.contexts) == (pytest.approx(0.02), "helps", 4)
    assert frame.attrs["judged"].startswith("judged after 4 epochs")
    part = mixspace.Study("s", store_url).effects("depth = 1")
    assert part[part.move == EDGE].contexts.tolist() == [1, 1]
    with pytest.raises(InputError, match="margin: must be a number from 0 to 1"):
        mixspace.Study("s", store_url).effects(margin=5)


def test_trainings_of_a_table_that_failed_are_left_out_and_counted(tmp_path: Path) -> None:
    row = {"architecture_id": "a", "architecture": network(DW), "seed": 0, "params": 1, "macs": 1}
    row |= {"validation_accuracy": [0.5], "seconds": [1.0], "failure": None}
    failed = row | {"architecture_id": "b", "failure": "out of memory"}
    pd.DataFrame([row, failed, failed]).to_parquet(tmp_path / "some.parquet")
    found = table_effects(tmp_path / "some.parquet")
    assert found.networks == 1
    assert found.notes[0] == "Left out: 2 trainings that failed."


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"seed": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="it has no architecture_id, architecture, params"):
        table_effects(tmp_path / "other.parquet")


def test_what_is_no_table_is_said_word_by_word(tmp_path: Path) -> None:
    def said(path: Path) -> Problem:
        with pytest.raises(InputError) as caught:
            table_effects(path)
        (problem,) = caught.value.problems
        return problem

    path = tmp_path / "other.parquet"
    pd.DataFrame({"seed": [1], "params": [1]}).to_parquet(path)
    lacks = "architecture_id, architecture, macs, validation_accuracy, seconds"
    assert said(path) == Problem("study", f"{path} is no table of trainings: it has no {lacks}")
    path.write_text("a,b\n1,2\n")
    problem = said(path)
    assert problem.where == "study"
    assert problem.message.startswith(f"{path} cannot be read: Parquet magic bytes not found")
    assert "  " not in problem.message
