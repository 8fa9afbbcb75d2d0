"""Trackers: what they are told, that they cost the search nothing, and what the real ones write."""

import struct
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from search.config import Config
from search.driver.assignment import Report
from search.driver.tracking import refuse_missing_libraries
from search.store import Store, TrialState, open_store
from search.trackers import TRACKERS, TrackedStudy, TrackedTrial, Tracker
from space import InputError
from tests.search.driving import begin, end, epoch, run_all, train
from tests.search.small import config, values
from trainers import Cause, Failure, Retry


class Recorder(Tracker):
    """Remembers what it was told."""

    package = "json"
    told: ClassVar[list[tuple[Any, ...]]] = []
    trials: ClassVar[dict[int, TrackedTrial]] = {}

    def start(self, trial: TrackedTrial) -> None:
        self.told.append(("start", trial.number))
        self.trials[trial.number] = trial

    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        self.told.append(("epoch", trial, epoch, metrics["validation_accuracy"]))

    def pause(self, trial: int) -> None:
        self.told.append(("pause", trial))

    def end(self, trial: int, state: TrialState, reason: str | None) -> None:
        self.told.append(("end", trial, state))

    def close(self) -> None:
        self.told.append(("close",))


class Broken(Recorder):
    """Fails at its first epoch."""

    told: ClassVar[list[tuple[Any, ...]]] = []

    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        self.told.append(("raised",))
        raise ConnectionError("the server is\naway")


class Waits(Recorder):
    """Takes as long as the test wants."""

    package = "json"

    go_on: ClassVar[threading.Event] = threading.Event()
    told: ClassVar[list[tuple[Any, ...]]] = []

    def start(self, trial: TrackedTrial) -> None:
        self.go_on.wait(60)
        super().start(trial)


class Unclosed(Recorder):
    """Is told all, and then cannot write it."""

    told: ClassVar[list[tuple[Any, ...]]] = []

    def close(self) -> None:
        raise OSError("the disk\n  is full")


class Unmade(Recorder):
    """Cannot even be made."""

    def __init__(self, study: TrackedStudy, **options: Any) -> None:
        raise OSError("no folder")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {
        "recorder": Recorder,
        "broken": Broken,
        "waits": Waits,
        "unmade": Unmade,
        "unclosed": Unclosed,
    }
    places = {name: f"{__name__}:{kind.__name__}" for name, kind in kinds.items()}
    monkeypatch.setattr(TRACKERS, "_places", TRACKERS._places | places)
    for kind in kinds.values():
        kind.told.clear()


def test_it_is_told_every_event_in_order(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=2, trackers=["recorder"])
    session = begin(store, settings)
    first = session.next_assignment()
    assert first is not None
    session.started(0)
    session.reported(0, Report((epoch(1, 0.3),)))
    lost = Failure(Cause.SURROUNDINGS, "its node is gone", retry=Retry.OFTEN)
    session.crashed(0, lost)
    run_all(session)
    session.tracking.close()
    mine = [each for each in Recorder.told if each[1:2] in ((0,), ())]
    assert mine == [
        ("start", 0),
        ("epoch", 0, 1, 0.3),
        ("pause", 0),
        ("start", 0),
        ("epoch", 0, 2, 0.5),
        ("end", 0, TrialState.COMPLETE),
        ("close",),
    ]
    assert ("end", 1, TrialState.COMPLETE) in Recorder.told
    shown = Recorder.trials[0]
    row = store.architectures.get(shown.architecture)
    assert shown.parameters["params"] == row.params
    assert shown.parameters["macs"] == row.macs
    assert shown.name == f"00000 {row.operators}"


def test_a_trial_pauses_once_however_often_its_worker_goes(store: Store, tmp_path: Path) -> None:
    session = begin(store, config(tmp_path, trials=1, trackers=["recorder"]))
    given = session.next_assignment()
    assert given is not None
    session.started(0)
    trial = session._live[0].trial
    for _ in range(2):
        session.tracking.preempt(trial, "its node is gone")
    session.tracking.close()
    assert Recorder.told == [("start", 0), ("pause", 0), ("close",)]


def test_what_an_earlier_run_did_is_not_told_again(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=2, trackers=["recorder"])
    session = begin(store, settings)
    given = session.next_assignment()
    assert given is not None
    train(session, given, [0.4, 0.5])
    session.tracking.close()
    end(store, session)
    before = len(Recorder.told)
    session = begin(store, settings)
    run_all(session)
    session.tracking.close()
    assert {each[1] for each in Recorder.told[before:-1]} == {1}


def test_one_that_fails_is_left_out_and_said_once(store: Store, tmp_path: Path) -> None:
    said: list[str] = []
    settings = config(tmp_path, trials=3, trackers=["broken", "unmade", "recorder"])
    session = begin(store, settings, say=said.append)
    run_all(session)
    session.tracking.close()
    assert Broken.told == [("start", 0), ("raised",)]
    assert sorted(said) == [
        "The tracker broken is left out from here on: ConnectionError: the server is away",
        "The tracker unmade is left out from here on: OSError: no folder",
    ]
    assert sum(each[0] == "end" for each in Recorder.told) == 3
    states = {trial.state for trial in store.trials.of_study(session.record.id)}
    assert states == {TrialState.COMPLETE}


def test_a_slow_one_keeps_no_trial_waiting(store: Store, tmp_path: Path) -> None:
    Waits.go_on.clear()
    session = begin(store, config(tmp_path, trials=4, trackers=["waits"]))
    run_all(session)  # to its end, with the tracker still at the first trial
    assert Waits.told == []
    assert session.progress().ended == 4
    Waits.go_on.set()
    session.tracking.close()
    assert sum(each[0] == "end" for each in Waits.told) == 4


@pytest.mark.parametrize(
    ("trackers", "said"),
    [
        ("tensorboard", "trackers: must be a list of trackers, of tensorboard, mlflow, wandb"),
        ([3], r"trackers\[0\]: must be a name or a mapping of fields; got 3"),
        (["recorder", "tensorbord"], r"trackers\[1\].name: 'tensorbord' is not allowed; allowed"),
        ([{"name": "mlflow", "url": "x"}], r"trackers\[0\].url: unknown option of 'mlflow'; allo"),
        (["wandb", {"name": "wandb"}], "trackers: must name each once"),
    ],
)
def test_what_is_no_tracker_is_refused(trackers: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Config.from_dict(values(trackers=trackers))


def test_a_library_that_is_not_there_is_refused_before_work_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "package", "no_such_library")
    (tmp_path / "a_folder_alone").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(Broken, "package", "a_folder_alone")
    given = Config.from_dict(values(trackers=["waits", "recorder", "broken"]))
    with pytest.raises(InputError) as refused:
        refuse_missing_libraries(given)
    assert [str(problem) for problem in refused.value.problems] == [
        "trackers[1]: recorder needs no_such_library, which is not installed: "
        "pip install no_such_library",
        "trackers[2]: broken needs a_folder_alone, which is not installed: "
        "pip install a_folder_alone",
    ]


def test_a_configuration_keeps_them_and_they_may_change(tmp_path: Path) -> None:
    given = config(tmp_path, trackers=["wandb", {"name": "tensorboard", "folder": "events"}])
    plain = given.to_dict()["trackers"]
    assert plain[1] == {"name": "tensorboard", "folder": "events"}
    assert Config.from_dict(given.to_dict()).trackers == given.trackers


# --- the real ones


def _events(file: Path) -> Iterator[Any]:
    """The events of a file of TensorBoard's: each with its length before, and sums of both."""
    from tensorboardX.proto.event_pb2 import Event

    content = file.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[length + 16 :]


def test_tensorboard_has_a_folder_for_each_trial(store: Store, tmp_path: Path) -> None:
    events = tmp_path / "events"
    tracker = {"name": "tensorboard", "folder": str(events)}
    session = begin(store, config(tmp_path, trials=2, trackers=[tracker]))
    run_all(session)
    session.tracking.close()
    trials = store.trials.of_study(session.record.id)
    assert sorted(each.name for each in (events / session.record.name).iterdir()) == [
        f"{trial.number:05d}-{trial.architecture_id}" for trial in trials
    ]
    for folder in (events / session.record.name).iterdir():
        (file,) = folder.iterdir()
        points, texts = [], {}
        for event in _events(file):
            for value in event.summary.value:
                if value.tensor.string_val:
                    texts[value.tag] = value.tensor.string_val[0].decode()
                elif value.tag == "validation_accuracy":
                    points.append((event.step, pytest.approx(value.simple_value)))
        assert points == [(1, 0.4), (2, 0.5)]
        assert texts["state/text_summary"] == "complete"
        assert "| operators | " in texts["architecture/text_summary"]


def _interrupted_and_resumed(store: Store, tmp_path: Path, tracker: object) -> Any:
    """Two trials, of which the first is taken up again by a second run; the study."""
    settings = config(tmp_path, trials=2, trackers=[tracker])
    session = begin(store, settings)
    session.next_assignment()
    session.started(0)
    session.reported(0, Report((epoch(1, 0.4),)))
    session.tracking.close()
    end(store, session)
    session = begin(store, settings)
    run_all(session)
    session.tracking.close()
    return session.record


@pytest.mark.slow
def test_mlflow_has_a_run_for_each_trial(store: Store, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    study = _interrupted_and_resumed(store, tmp_path, {"name": "mlflow", "uri": uri})
    client = mlflow.MlflowClient(tracking_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name(study.name).experiment_id])
    assert len(runs) == 2
    for run in runs:
        assert run.info.status == "FINISHED"
        assert run.data.tags["state"] == "complete"
        row = store.architectures.get(run.data.tags["architecture"])
        assert int(run.data.params["params"]) == row.params
        points = client.get_metric_history(run.info.run_id, "validation_accuracy")
        assert {(point.step, point.value) for point in points} == {(1, 0.4), (2, 0.5)}


def _wandb_records(content: bytes) -> Iterator[bytes]:
    """The records of a file of W&B's: blocks of 32 KiB of pieces, each with a head of seven."""
    place, record = 7, b""
    while place + 7 <= len(content):
        left = 32768 - place % 32768
        if left < 7:  # no room for another piece
            place += left
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        record += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or its last piece
            yield record
            record = b""


@pytest.mark.slow
def test_wandb_writes_offline_runs(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    from wandb.proto.wandb_internal_pb2 import Record

    monkeypatch.delenv("WANDB_MODE", raising=False)
    tracker = {"name": "wandb", "folder": str(tmp_path)}
    study = _interrupted_and_resumed(store, tmp_path, tracker)
    found: dict[str, set[tuple[int, float]]] = {}
    for file in sorted(tmp_path.glob("wandb/offline-run-*/*.wandb")):
        for content in _wandb_records(file.read_bytes()):
            record = Record.FromString(content)
            items = {
                "".join(item.nested_key) or item.key: item.value_json
                for item in record.history.item
            }
            if "validation_accuracy" in items:
                point = int(items["_step"]), float(items["validation_accuracy"])
                found.setdefault(file.stem.removeprefix("run-"), set()).add(point)
    assert found == {f"{study.uid}-{number}": {(1, 0.4), (2, 0.5)} for number in (0, 1)}


def test_one_that_cannot_be_closed_is_said_and_the_others_are_closed(
    store: Store, tmp_path: Path
) -> None:
    said: list[str] = []
    settings = config(tmp_path, trials=1, trackers=["unclosed", "recorder"])
    session = begin(store, settings, say=said.append)
    run_all(session)
    session.tracking.close()
    assert said == ["The tracker unclosed is left out from here on: OSError: the disk is full"]
    assert Recorder.told[-1] == ("close",)
