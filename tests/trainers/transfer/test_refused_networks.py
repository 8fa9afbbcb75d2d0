"""What no model of a transfer is made of: networks, missing libraries, folders of others."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import trainers
from space import Architecture, InputError
from space.networks import build
from tests.trainers.tiny import architecture
from tests.trainers.transfer.small import recipe
from trainers import transfer
from trainers.checkpoint import Checkpoint, save_checkpoint
from trainers.transfer import (
    data,
    libraries,
    segmentation,
    torchvision_operators,
    transferring,
)
from trainers.transfer import result as result_module
from trainers.transfer import source as source_module
from trainers.transfer.metrics.judging import metrics_for
from trainers.transfer.model import make_model, refuse_model
from trainers.transfer.result import finished, load_transferred, write_result
from trainers.transfer.segmentation import refuse_segmentation, upernet_decoder
from trainers.transfer.source import BackboneSource
from trainers.transfer.transferring import Transfer

NETWORK = architecture(channels=3, size=32)


def said(refused: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [f"{p.where}: {p.message}" for p in refused.value.problems]


# --- networks -------------------------------------------------------------------------------------


def one_stage(patch_size: int, channels: int = 3) -> Architecture:
    values = architecture(channels=channels, size=30).to_dict()
    values["stem"]["patch_size"] = patch_size
    return Architecture.from_dict(values | {"stages": values["stages"][:1]})


def test_a_model_of_many_scales_is_not_made_of_one() -> None:
    with pytest.raises(InputError) as refused:
        refuse_model(one_stage(3, channels=2), recipe("segmentation"))
    (channels, stages) = said(refused)
    assert channels.startswith("architecture.input.channels: ")
    start = "architecture.stages: 1 is not enough: "
    assert stages == f"{start}this model needs maps of 2 scales"
    with pytest.raises(InputError) as refused:
        refuse_segmentation(1)
    assert said(refused) == [f"{start}UPerNet joins maps of 2 scales or more"]
    refuse_segmentation(2)
    refuse_model(NETWORK, recipe("segmentation"))


def test_pyramids_need_strides_of_powers_of_two() -> None:
    with pytest.raises(InputError) as refused:
        refuse_model(one_stage(3), recipe("detection"))
    assert said(refused) == [
        "architecture.stem.patch_size: 3 is no power of 2, which the levels of a feature pyramid "
        "need"
    ]
    refuse_model(one_stage(2), recipe("detection"))


def test_without_weight_there_is_no_auxiliary_head() -> None:
    source = BackboneSource.random(NETWORK)
    plain = make_model(source, recipe("segmentation", auxiliary_weight=0.0), 3)
    with_head: Any = make_model(source, recipe("segmentation", auxiliary_weight=0.4), 3)
    assert plain.auxiliary is None
    convolution, norm, _, last = with_head.auxiliary
    assert (convolution.in_channels, convolution.out_channels) == (8, 8)
    assert (convolution.kernel_size, convolution.padding, convolution.bias) == (
        (3, 3),
        (1, 1),
        None,
    )
    assert (norm.num_features, last[1].out_channels, last[1].kernel_size) == (8, 3, (1, 1))


def test_one_class_is_nothing_to_segment() -> None:
    seen: Any = SimpleNamespace(classes=("a",), train_images=8)
    source = BackboneSource.random(NETWORK)
    with pytest.raises(InputError) as refused:
        Transfer(source, recipe("segmentation"), seen).refuse()
    assert said(refused) == [
        "data.classes: 1 is not enough: with one class every pixel is right from the start"
    ]
    Transfer(source, recipe("detection"), seen).refuse()
    seen.classes = ("a", "b")
    Transfer(source, recipe("segmentation"), seen).refuse()


def test_nobody_judges_other_data() -> None:
    with pytest.raises(TypeError, match=r"^nobody judges dict$"):
        metrics_for({})  # type: ignore[arg-type]


# --- libraries ------------------------------------------------------------------------------------


def test_libraries_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"pycocotools"}
    monkeypatch.setattr(libraries, "find_spec", lambda name: name if name in there else None)
    libraries.require("pycocotools")
    with pytest.raises(InputError) as refused:
        libraries.require("pycocotools", "torchmetrics")
    install = "not installed: pip install mixspace[transfer]"
    assert said(refused) == [f": torchmetrics is {install}"]
    there.clear()
    with pytest.raises(InputError) as refused:
        libraries.require("pycocotools", "torchmetrics")
    assert said(refused) == [f": pycocotools and torchmetrics are {install}"]


def test_a_decoder_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name, name=lacks)

    monkeypatch.setattr(segmentation, "import_module", missing)
    lacks = "segmentation_models_pytorch.decoders"
    with pytest.raises(InputError) as refused:
        upernet_decoder()
    message = "segmentation-models-pytorch is not installed: pip install mixspace[transfer]"
    assert said(refused) == [f": {message}"]
    lacks = "huggingface_hub"
    with pytest.raises(ModuleNotFoundError) as unknown:
        upernet_decoder()
    assert unknown.value.name == lacks


def test_operators_that_load_are_not_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {
        "torchvision.extension": SimpleNamespace(_has_ops=lambda: loads),
        "torchvision.ops.boxes": SimpleNamespace(),
        "torchvision.ops.roi_align": SimpleNamespace(),
    }
    monkeypatch.setattr(torchvision_operators, "import_module", places.__getitem__)
    loads = True
    assert torchvision_operators.prepare_detection.__wrapped__() is False
    assert not vars(places["torchvision.ops.boxes"])
    loads = False
    assert torchvision_operators.prepare_detection.__wrapped__() is True
    assert vars(places["torchvision.ops.boxes"]) == {"nms": torchvision_operators.nms}
    pooled = {"_roi_align": torchvision_operators.roi_align}
    assert vars(places["torchvision.ops.roi_align"]) == pooled


def test_the_environment_says_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "torchmetrics":
            raise transferring.PackageNotFoundError
        return f"{package} 1"

    monkeypatch.setattr(transferring, "version", version)
    monkeypatch.setattr(transferring.platform, "machine", lambda: "m68k")
    monkeypatch.setattr(transferring.platform, "python_version", lambda: "3.99")
    found = transferring.environment(torch.device("cpu"))
    packages = ("torch", "torchvision", "segmentation-models-pytorch", "pycocotools")
    assert found == {
        "device": "cpu (m68k)",
        "python": "3.99",
        "packages": {each: f"{each} 1" for each in packages} | {"torchmetrics": None},
    }
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"a GPU, {device}")
    device = transferring.environment(torch.device("cuda:1"))["device"]
    assert device == "cuda:1 (a GPU, cuda:1)"


# --- what a transfer begins with, and what is written --------------------------------------------


def test_a_checkpoint_gives_its_weights(tmp_path: Path) -> None:
    trained, path = build(NETWORK, seed=5), tmp_path / "trial.safetensors"
    weights = {f"model.{name}": each for name, each in trained.state_dict().items()}
    save_checkpoint(path, Checkpoint(weights, {"trial": 3}))
    scale = ((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    found = BackboneSource.from_checkpoint(NETWORK, path, {"trial": 3}, scale, "trial 3")
    assert (found.architecture, found.origin) == (NETWORK, "trial 3")
    assert (found.mean, found.std) == scale
    assert found.weights is not None
    for name, each in trained.state_dict().items():
        assert torch.equal(found.weights[name], each)
    other = BackboneSource.from_checkpoint(NETWORK, path, {}, scale, "another word")
    assert other.weights_hash == found.weights_hash
    assert len(str(found.weights_hash)) == 16
    with pytest.raises(InputError, match=r"was written for trial 3, not 4$"):
        BackboneSource.from_checkpoint(NETWORK, path, {"trial": 4}, scale, "trial 4")


def test_an_exported_folder_gives_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = build(NETWORK, seed=5)
    network.architecture = NETWORK
    network.preprocessing = SimpleNamespace(mean=(0.1,), std=(0.2,))
    monkeypatch.setattr(source_module, "load", {Path("a/best"): network}.__getitem__)
    found = BackboneSource.from_export(Path("a/best"))
    assert (found.mean, found.std, found.origin) == ((0.1,), (0.2,), "exported folder best")
    assert found.architecture == NETWORK
    assert found.weights is not None
    assert found.weights.keys() == network.state_dict().keys()


def test_random_weights_have_no_hash() -> None:
    grey = BackboneSource.random(architecture(channels=1, size=32))
    colour = BackboneSource.random(NETWORK)
    assert (colour.weights, colour.weights_hash, colour.origin) == (None, None, "random weights")
    assert (colour.mean, colour.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (grey.mean, grey.std) == (
        (pytest.approx((0.485 + 0.456 + 0.406) / 3),),
        (pytest.approx((0.229 + 0.224 + 0.225) / 3),),
    )


def whole_result() -> dict[str, Any]:
    """What is needed of a result to build its model."""
    return {
        "architecture": NETWORK.to_dict(),
        "recipe": recipe("segmentation").to_dict(),
        "backbone": {"mean": [0.1, 0.2, 0.3], "std": [1.0, 2.0, 3.0], "frozen": True},
        "classes": ["ä", "b"],
        "masks": True,
    }


def test_a_model_is_built_of_what_was_written(tmp_path: Path) -> None:
    source = BackboneSource(NETWORK, None, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0), "drawn")
    model = make_model(source, recipe("segmentation"), 2, frozen=True)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"goes")
    content = write_result(tmp_path, model, NETWORK, whole_result())
    assert content == {"format": "mixspace transfer 1", **whole_result()}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model.safetensors", "result.json"]
    written = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    assert (tmp_path / "result.json").read_text("utf-8") == written
    loaded: Any = load_transferred(str(tmp_path))
    assert not loaded.training
    assert loaded.backbone.frozen
    assert loaded.mean.flatten().tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert loaded.std.flatten().tolist() == [1.0, 2.0, 3.0]
    for name, each in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], each)
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(loaded(images), model.eval()(images))


@pytest.mark.parametrize(
    "change",
    [{"recipe": None}, {"classes": 3}, {"backbone": {"mean": ["x"]}}, {"masks": ...}],
    ids=["recipe", "classes", "mean", "masks"],
)
def test_a_damaged_result_is_not_loaded(tmp_path: Path, change: dict[str, Any]) -> None:
    values = whole_result()
    for name, value in change.items():
        if value in (None, ...):
            del values[name]
        else:
            values[name] = value
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(InputError) as refused:
        load_transferred(tmp_path)
    (problem,) = refused.value.problems
    assert problem.where == "result.json"
    assert problem.message.startswith(f"{tmp_path / 'result.json'} is damaged (")


def test_results_of_others_are_refused(tmp_path: Path) -> None:
    assert finished(tmp_path, {"seed": 1}) is None
    path = tmp_path / "result.json"
    whole = {"format": "mixspace transfer 1", "identity": {"seed": 1}, "more": 2}
    path.write_text(json.dumps(whole))
    assert finished(tmp_path, {"seed": 1}) == whole
    with pytest.raises(InputError) as refused:
        finished(tmp_path, {"seed": 2})
    message = f"to: {tmp_path} holds the result for seed 1, not 2; name another folder"
    assert said(refused) == [message]
    for change in ({"format": "another"}, {"identity": 3}):
        path.write_text(json.dumps(whole | change))
        with pytest.raises(InputError) as refused:
            finished(tmp_path, {"seed": 1})
        assert said(refused) == [f"to: {path} is no result of a transfer"]


def test_a_result_that_cannot_be_written_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: Any) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    network = build(NETWORK, seed=0)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"kept")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_result(tmp_path, network, NETWORK, {"loss": float("nan")})
    (tmp_path / "model.safetensors").unlink()
    monkeypatch.setattr(result_module, "write_weights", full)
    with pytest.raises(OSError, match="No space left"):
        write_result(tmp_path, network, NETWORK, {})
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.safetensors"]


# --- names ----------------------------------------------------------------------------------------


def test_public_names_are_found_when_they_are_asked_for() -> None:
    assert transfer.Transfer is Transfer
    assert transfer.make_model is make_model
    for package in (trainers, transfer, data):
        assert dir(package) == sorted(package.__all__)
        for name in package.__all__:
            assert getattr(package, name) is not None
        with pytest.raises(AttributeError) as unknown:
            package.nothing  # noqa: B018
        said = f"module '{package.__name__}' has no attribute 'nothing'"
        assert str(unknown.value) == said
