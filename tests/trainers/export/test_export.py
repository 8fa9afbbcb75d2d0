"""The exported folder: what is in it, and what is refused before."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
import yaml
from safetensors.torch import load_file

import mixspace
from space import Architecture
from space.networks import build
from tests.space.own_mixers import mixers, of, put
from tests.trainers.export.samples import (
    CLASSES,
    NO_PROGRAMS,
    breaks,
    names,
    refused,
    trained,
    used,
)
from tests.trainers.tiny import architecture
from trainers.checkpoint import Checkpoint, save_checkpoint
from trainers.export import (
    Exported,
    ExportFailed,
    NotEqual,
    export_network,
    onnx_file,
    program_file,
    standalone_file,
)
from trainers.export.parity import compared

__all__ = ["mixers"]

FILES = {
    *("README.md", "architecture.json", "classes.txt", "config.json", "export.json", "infer.py"),
    *("model.onnx", "model.pt2", "model.safetensors", "network.py", "preprocessing.json"),
    "search.yaml",
}
IMAGES = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """All that is exported of a network with kernels of its own for each image."""
    folder = tmp_path_factory.mktemp("whole")
    dynamic = architecture(dynamics="homogeneous", generator_ratio=2)
    return export_network(trained(folder, dynamic), folder / "a" / "shipped")


def expected(images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = used(architecture(dynamics="homogeneous", generator_ratio=2))(images)
    return logits


def test_every_file_is_there_and_none_else(whole: Exported) -> None:
    assert names(whole.folder) == FILES
    assert names(whole.folder.parent) == {"shipped"}
    assert {**whole.files, "export.json": 0}.keys() == FILES
    for name, size in whole.files.items():
        assert (whole.folder / name).stat().st_size == size
    manifest = json.loads((whole.folder / "export.json").read_text())
    assert manifest["opset"] == onnx_file.OPSET == whole.opset
    assert manifest["files"].keys() == whole.files.keys()
    assert (whole.folder / "classes.txt").read_text() == "".join(f"{name}\n" for name in CLASSES)
    assert yaml.safe_load((whole.folder / "search.yaml").read_text())["study"] == "first"


def test_every_file_computes_the_same(whole: Exported) -> None:
    wanted = expected(IMAGES)
    assert wanted.abs().max() > 0.5, "so that an error can be seen"
    assert whole.parities.keys() == {"network.py", "model.pt2", "model.onnx"}
    alone = standalone_file.built_alone(whole.folder / "network.py")
    alone.load_state_dict(load_file(whole.folder / "model.safetensors"))
    program = torch.export.load(whole.folder / "model.pt2").module()
    session = onnxruntime.InferenceSession(str(whole.folder / "model.onnx"))
    with torch.no_grad():
        found = {
            "network.py": alone.eval()(IMAGES),
            "model.pt2": program(IMAGES),
            "model.onnx": torch.from_numpy(session.run(None, {"images": IMAGES.numpy()})[0]),
            "mixspace.load": mixspace.load(whole.folder)(IMAGES),
        }
    for name, allowed in {"network.py": 1e-5, "model.pt2": 1e-5, "model.onnx": 1e-4}.items():
        assert allowed <= whole.parities[name].allowed < 10 * allowed
        assert whole.parities[name].error <= allowed
        assert (found[name] - wanted).abs().max() <= allowed, name
    assert torch.equal(found["mixspace.load"], wanted)


def test_onnx_says_what_it_takes_and_nothing_of_this_machine(whole: Exported) -> None:
    model = onnx.load(whole.folder / "model.onnx")
    (images,), (logits,) = model.graph.input, model.graph.output
    shape = [each.dim_param or each.dim_value for each in images.type.tensor_type.shape.dim]
    assert (images.name, logits.name) == ("images", "logits")
    assert isinstance(shape[0], str)
    assert shape[1:] == [1, 28, 28]
    assert model.opset_import[0].version == onnx_file.OPSET
    told = {each.key: each.value for each in model.metadata_props}
    assert json.loads(told["classes"]) == list(CLASSES)
    here = str(Path(__file__).parents[3]).encode()
    for path in whole.folder.iterdir():
        assert here not in path.read_bytes(), path.name


def test_timm_builds_it_from_the_folder(whole: Exported) -> None:
    import space.zoo  # noqa: F401

    import timm  # isort: skip

    model = timm.create_model(f"local-dir:{whole.folder}", pretrained=True).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(IMAGES), expected(IMAGES), atol=1e-5, rtol=0)
    config = timm.data.resolve_model_data_config(model)
    assert (config["mean"], config["std"], config["crop_pct"]) == ([0.286], [0.353], 1.0)
    assert model.pretrained_cfg["label_names"] == list(CLASSES)
    features = timm.create_model(f"local-dir:{whole.folder}", pretrained=True, features_only=True)
    assert [tuple(each.shape[:2]) for each in features(IMAGES)] == [(5, 8), (5, 16)]
    other = timm.create_model(f"local-dir:{whole.folder}", pretrained=True, num_classes=3)
    assert other(IMAGES).shape == (5, 3)
    assert torch.equal(other.stem.project.weight, model.stem.project.weight)


# --- refused before anything is written -----------------------------------------------------------


def test_weights_that_are_gone_damaged_or_of_another_are_refused(tmp_path: Path) -> None:
    given = trained(tmp_path)
    path, content = given.checkpoint, given.checkpoint.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "checkpoint: " in refused(given, tmp_path)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "its hash does not match" in refused(given, tmp_path)
    trained(tmp_path, architecture(kernel_size=5))
    assert "was written for architecture" in refused(given, tmp_path)
    torch.save({"model": {}}, path)
    assert "a pickle, which may run code; only safetensors are read" in refused(given, tmp_path)
    path.unlink()
    assert "does not exist" in refused(given, tmp_path)


def test_weights_of_an_earlier_epoch_are_refused(tmp_path: Path) -> None:
    given = trained(tmp_path)
    state = {**given.expected, "epoch": 1}
    tensors = {f"model.{n}": t for n, t in build(given.architecture).state_dict().items()}
    save_checkpoint(given.checkpoint, Checkpoint(tensors, state))
    assert "was written for epoch 1, not 4" in refused(given, tmp_path)


@pytest.mark.parametrize("classes", [(), CLASSES[:9], (*CLASSES, "more")])
def test_names_of_another_number_of_classes_are_refused(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    said = refused(trained(tmp_path, classes=classes), tmp_path)
    assert said == f"classes: {len(classes)} names, and the network has 10 classes"


def test_all_that_is_off_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    (tmp_path / "to").write_text("mine")
    said = refused(trained(tmp_path, classes=()), tmp_path, without=["everything"])
    assert "without: 'everything' is not allowed; allowed: onnx, pt2, standalone" in said
    assert "model.onnx needs onnx, onnxscript, onnxruntime" in said
    assert "mixspace[export]" in said
    assert "is a file; an export is a folder" in said
    assert "the network has 10 classes" in said


def test_without_the_extra_the_rest_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "find_spec", lambda name: None)
    done = export_network(trained(tmp_path), tmp_path / "to", without=NO_PROGRAMS)
    assert names(done.folder) == FILES - {"model.onnx", "model.pt2"}
    done = export_network(
        trained(tmp_path), tmp_path / "to", without=[*NO_PROGRAMS, "standalone"], force=True
    )
    assert names(done.folder) == FILES - {"model.onnx", "model.pt2", "network.py", "infer.py"}
    assert done.parities == {}


def test_a_mixer_that_cannot_stand_alone_is_refused_and_may_go_without(
    tmp_path: Path,
) -> None:
    """A factory of modules has no class that could be written down."""
    put("test other", of(lambda x: x / 2))
    values = architecture().to_dict()
    for stage in values["stages"]:
        stage["mixers"] = [{"custom": "test other"}]
    given = trained(tmp_path, Architecture.from_dict(values))
    assert "test other" in refused(given, tmp_path)
    done = export_network(given, tmp_path / "to", without=[*NO_PROGRAMS, "standalone"])
    assert mixspace.load(done.folder).architecture == given.architecture


# --- what is written is compared ------------------------------------------------------------------


def test_a_file_that_computes_something_else_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offset of the last layer that is a little more than what is allowed."""
    real = standalone_file.built_alone

    def off(path: Path) -> Any:
        network = real(path)
        network.register_forward_hook(lambda *given: given[2] + 1e-4)
        return network

    monkeypatch.setattr(standalone_file, "built_alone", off)
    with pytest.raises(NotEqual, match=r"^network\.py differs from the network by 0\.0001"):
        export_network(trained(tmp_path), tmp_path / "to", without=NO_PROGRAMS)
    assert names(tmp_path) == {"checkpoint.safetensors"}


def test_of_large_logits_so_many_times_more_is_allowed_and_said() -> None:
    of = architecture()
    network = used(of)
    with torch.no_grad():
        network.head.classify.bias += 100.0

    def off(images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(images) + 5e-4
        return logits

    found = compared("it", network, off, of, 1e-5)
    assert 1e-5 < found.error <= found.allowed
    assert found.allowed == pytest.approx(1e-3, rel=0.1)
    with pytest.raises(NotEqual, match=r"by 0\.0005, and 0\.0001\d? is allowed"):
        compared("it", network, off, of, 1e-6)


@pytest.mark.thorough
def test_programs_are_compared_as_they_were_written(
    whole: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a network with another offset in its last layer; with weights beside model.onnx, as
    large ones are."""
    monkeypatch.setattr(onnx_file, "_LARGEST", 0)
    dynamic = architecture(dynamics="homogeneous", generator_ratio=2)
    other, program = used(dynamic), torch.export.load(whole.folder / "model.pt2")
    with torch.no_grad():
        other.head.classify.bias[3] += 1e-3
    with pytest.raises(NotEqual, match=r"^model\.pt2 differs from the network by 0\.001, and "):
        program_file.write_program(tmp_path / "model.pt2", program, other, dynamic)
    with pytest.raises(NotEqual, match=r"^model\.onnx differs from the network by 0\.001, and "):
        onnx_file.write_onnx(tmp_path / "model.onnx", program, other, dynamic, CLASSES)
    assert names(tmp_path) == {"model.pt2", "model.onnx", "model.onnx.data"}


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_what_is_not_finite_equals_nothing(odd: float) -> None:
    network = used(architecture())
    with pytest.raises(NotEqual):
        compared("x", network, lambda images: network(images) * odd, architecture(), 1e-4)
    with pytest.raises(NotEqual, match=r"gives \(1, 9\) for 1 images, not \(1, 10\)"):
        compared("x", network, lambda images: network(images)[:, 1:], architecture(), 1e-4)


def test_a_network_that_no_tracer_follows_says_what_to_leave_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_file, "traced", breaks(RuntimeError("data-dependent\nmore")))
    with pytest.raises(ExportFailed) as caught:
        export_network(trained(tmp_path), tmp_path / "to")
    assert str(caught.value) == (
        "model.pt2 cannot be made of this network (data-dependent); without='pt2' leaves it out"
    )
    assert names(tmp_path) == {"checkpoint.safetensors"}


# --- names of classes -----------------------------------------------------------------------------


def test_names_of_classes_that_no_line_holds_are_escaped(tmp_path: Path) -> None:
    odd = ("a\nb", "c\r", "\udc80", "e\u2028f", " g", "", "h\\n", "ä", "猫", "tab\t")
    done = export_network(
        trained(tmp_path, classes=odd), tmp_path / "to", without=[*NO_PROGRAMS, "standalone"]
    )
    shown = mixspace.load(done.folder).classes
    assert shown == (
        *("a\\nb", "c\\r", "\\udc80", "e\\u2028f", " g"),
        *("", "h\\n", "ä", "猫", "tab\\t"),
    )
    assert json.loads((done.folder / "config.json").read_text())["label_names"] == list(shown)


# --- what others run ------------------------------------------------------------------------------

ALONE = """import sys
for name in {blocked!r}:
    sys.modules[name] = None
import runpy
sys.argv = ["infer.py", *sys.argv[1:]]
runpy.run_path("infer.py", run_name="__main__")
"""
BLOCKED = ("numpy", "torchvision", "timm", "mixspace", "space", "trainers", "search", "pandas")


def test_infer_needs_nothing_but_torch_safetensors_and_pillow(
    whole: Exported, tmp_path: Path
) -> None:
    from PIL import Image

    for name in ("infer.py", "network.py", "model.safetensors", "preprocessing.json"):
        (tmp_path / name).write_bytes((whole.folder / name).read_bytes())
    (tmp_path / "classes.txt").write_bytes((whole.folder / "classes.txt").read_bytes())
    pixels = np.random.default_rng(0).integers(0, 255, (31, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    run = subprocess.run(
        [sys.executable, "-I", "-c", ALONE.format(blocked=BLOCKED), "picture.png", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(run.stdout)
    network = mixspace.load(whole.folder)
    with torch.no_grad():
        shares = network(network.preprocess(tmp_path / "picture.png")[None]).softmax(1)[0]
    order = shares.argsort(descending=True)[:5].tolist()
    assert [line["class"] for line in found["classes"]] == [CLASSES[i] for i in order]
    for line, place in zip(found["classes"], order, strict=True):
        assert line["probability"] == pytest.approx(float(shares[place]), abs=1e-5)
