"""`transfer`: which weights are taken, what is written and said, what is refused before work."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import mixspace
from search.cli.program import run_program
from search.handover import candidate
from search.query import trained_results
from search.store import open_store
from tests.docs.workshop import without_ray
from tests.search.small import SPACE, values
from tests.trainers.transfer.small import (
    DETECTION,
    SEGMENTATION,
    ade20k_folder,
    coco_folder,
)

STORE = ["--store", "a.db"]
SHORT = ["--set", "recipe.iterations=2"]


def two_scales() -> dict[str, Any]:
    """The space of the other tests, but for two stages, and patches of a power of 2."""
    space = copy.deepcopy(SPACE)
    stage = space["stages"][0]
    return space | {"stem": {"patch_size": 4}, "stages": [stage, stage]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search whose best was trained in full, an export of it, two data sets and two recipes."""
    folder = tmp_path_factory.mktemp("finished")
    short = {"epochs": 1, "batch_size": 50, "warmup_epochs": 0.5}
    content = values(trials=2, protocol=short, space=two_scales())
    (folder / "a.yaml").write_text(yaml.safe_dump(content))
    (folder / "boxes.yaml").write_text(yaml.safe_dump(DETECTION))
    (folder / "masks.yaml").write_text(yaml.safe_dump(SEGMENTATION))
    coco_folder(folder / "coco", 6, 2)
    ade20k_folder(folder / "ade", 6, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        without_ray(patch, folder)
        assert run_program(["run", "a.yaml", *STORE]) == 0
        assert run_program(["retrain", "--top", "1", "--seeds", "1", *STORE]) == 0
        mixspace.export(None, "shipped", store="a.db", study="tiny", without=["onnx", "pt2"])
    return folder


@pytest.fixture
def here(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(finished)
    return finished


def transfer(task: str, *words: str) -> int:
    data, recipe = {"detection": ("coco", "boxes.yaml"), "segmentation": ("ade", "masks.yaml")}[
        task
    ]
    asked = ["--task", task, "--data", data, "--recipe", recipe]
    return run_program(["transfer", *words, *asked, *STORE])


def retrained_id() -> str:
    with open_store("a.db", create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny-retrained").id)
        return trials[0].architecture_id


def test_the_weights_of_a_full_training_are_taken(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = retrained_id()
    words = [id_[:8], "--to", str(tmp_path), *SHORT]
    assert transfer("segmentation", *words, "--json") == 0
    said = capsys.readouterr()
    (found,) = json.loads(said.out)
    assert found["backbone"]["origin"] == f"{id_} of trial 0 in tiny-retrained"
    assert found["identity"]["architecture"] == id_
    assert found["steps"] == 2
    assert 0 <= found["metrics"]["mean_iou"] <= 1
    assert found["folder"] == str(tmp_path / f"{id_}-masks-seed0")
    assert "step 2 of 2" in said.err
    with open_store("a.db", create=False) as store:
        assert {each.study for each in trained_results(store, id_)} == {"tiny", "tiny-retrained"}
    assert transfer("segmentation", *words) == 0
    again = capsys.readouterr()
    assert "done before" in again.err
    assert "mIoU" in again.out


def test_the_best_of_a_study_with_several_seeds_and_random_weights(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--top", "2", "--study", "tiny", "--from-scratch", "--frozen", "--seeds", "2"]
    assert transfer("segmentation", *words, "--to", str(tmp_path), *SHORT, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found) == 4
    assert {each["identity"]["weights"] for each in found} == {None}
    assert {each["seed"] for each in found} == {0, 1}
    assert all(path.name.split("-")[2:4] == ["frozen", "scratch"] for path in tmp_path.iterdir())
    assert transfer("segmentation", *words, "--to", str(tmp_path), *SHORT) == 0
    assert "±" in capsys.readouterr().out


def test_random_weights_need_no_trained_ones(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: Any) -> Path:
        raise AssertionError("no weights are needed")

    monkeypatch.setattr(candidate, "checkpoint_of", gone)
    words = [retrained_id(), "--from-scratch", "--to", str(tmp_path), *SHORT]
    assert transfer("segmentation", *words) == 0


def test_an_exported_folder_needs_no_store(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--task", "detection", "--data", "coco", "--recipe", "boxes.yaml"]
    words = ["shipped", "--to", str(tmp_path), "--set", "recipe.epochs=1", "--store", "none.db"]
    assert run_program(["transfer", *words, *asked]) == 0
    assert "box AP" in capsys.readouterr().out
    assert not Path("none.db").exists()
    (folder,) = tmp_path.iterdir()
    told: Any = json.loads((folder / "result.json").read_text())
    assert told["backbone"]["origin"] == "exported folder shipped"
    network = mixspace.load("shipped")
    assert told["backbone"]["mean"] == list(network.preprocessing.mean)


REFUSED = [
    (["3f2a", "shipped"], "no architecture"),
    ([], "name architectures or exported folders, or --top N"),
    (["shipped", "--top", "1"], "one of the two"),
    (["--top", "1"], "--top 1 needs --study NAME"),
    (["--top", "1", "--study", "nobody"], "nobody"),
    (["./gone"], "gone"),
    (["shipped", "--data", "nowhere"], "there is no folder nowhere"),
    (["shipped", "--recipe", "coco-mask-rcn"], "did you mean 'coco-mask-rcnn'"),
    (["shipped", "--recipe", "small-mask-rcnn"], "is for detection, and the task is segmentation"),
    (["shipped", "--set", "recipe.epoch=3"], "did you mean 'epochs'"),
    (["shipped", "--set", "data.train_annotations=x"], "only for detection"),
    (["shipped", "--set", "protocol.epochs=3"], "recipe.FIELD and data.FIELD are"),
    (["shipped", "--device", "cuda:99"], "cannot be used here"),
    (["shipped", "--to", "a.yaml"], "is a file"),
    (["shipped", "--set", "recipe.batch_size=1"], "at least 2 pictures a part"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_cannot_be_done_is_refused_before_work_starts(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    asked = ["--task", "segmentation", "--data", "ade", "--recipe", "masks.yaml"]
    place = [] if "--to" in words else ["--to", str(tmp_path / "to")]
    assert run_program(["transfer", *asked, *STORE, *place, *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "to").exists()


def test_several_reasons_are_told_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["3f2a", "--data", "nowhere", "--recipe", "nothing", "--device", "cuda:99"]
    asked = ["--task", "segmentation"]
    assert run_program(["transfer", *asked, *STORE, *words]) == 2
    said = capsys.readouterr().err
    assert all(each in said for each in ("--recipe", "device", "3f2a"))


def test_weights_that_are_gone_or_of_another_size_alone(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in Path("shipped").iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    (damaged / "model.safetensors").write_bytes(b"\x80\x02 run me")
    assert transfer("segmentation", str(damaged), "--to", str(tmp_path / "to"), *SHORT) == 2
    assert "a pickle, which may run code" in capsys.readouterr().err


def test_an_architecture_twice_with_other_weights_is_refused(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store("a.db", create=False) as store:
        id_ = store.trials.of_study(store.studies.get("tiny-retrained").id)[0].architecture_id
    mixspace.export(id_, tmp_path / "x", store="a.db", study="tiny", without=["onnx", "pt2"])
    words = [id_, str(tmp_path / "x"), "--to", str(tmp_path / "to")]
    assert transfer("segmentation", *words, *SHORT) == 2
    assert "would go into one folder" in capsys.readouterr().err


def test_a_missing_library_is_named_before_data_are_read(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainers.transfer import segmentation

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(segmentation, "import_module", missing)
    assert transfer("segmentation", "shipped", "--to", str(tmp_path / "to"), *SHORT) == 2
    assert "pip install mixspace[transfer]" in capsys.readouterr().err


def test_from_python(here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    id_ = retrained_id()
    table = mixspace.transfer(
        [id_[:8], here / "shipped"],
        task="segmentation",
        data=here / "ade",
        recipe="masks.yaml",
        store="a.db",
        to=tmp_path,
        from_scratch=True,
        seeds=2,
        changes={"recipe": {"iterations": 2}},
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert "2/2" in said.err
    assert list(table["seed"]) == [0, 1, 0, 1]
    assert set(table["architecture_id"][:2]) == {id_}
    assert table["mean_iou"].between(0, 1).all()
    folder = Path(table["folder"][0])
    metrics = json.loads((folder / "result.json").read_text())["metrics"]
    assert table["mean_iou"][0] == metrics["mean_iou"]


def test_a_call_from_python_is_refused_with_its_arguments(here: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"task": "segmentation", "data": "ade", "recipe": "masks.yaml"}
    with pytest.raises(mixspace.InputError) as error:
        mixspace.transfer("3f2a", seeds=0, top=True, changes=["x"], **asked)
    assert {each.where for each in error.value.problems} == {
        *("architectures", "seeds", "top", "changes")
    }
    with pytest.raises(mixspace.InputError, match=r"did you mean 'epochs'"):
        mixspace.transfer(["shipped"], changes={"recipe": {"epoch": 3}}, **asked)
    with pytest.raises(mixspace.InputError, match="top=1 needs study=NAME"):
        mixspace.transfer(top=1, to=tmp_path / "to", store="a.db", **asked)
    assert not (tmp_path / "to").exists()
