"""An exported folder is read back; damaged ones are refused, and nothing in them runs."""

import copy
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import mixspace
from space import InputError
from tests.trainers.export.samples import NO_PROGRAMS, trained, used
from tests.trainers.tiny import architecture
from trainers.export import LoadedNetwork, export_network


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shipped")
    return export_network(trained(folder), folder / "to", without=NO_PROGRAMS).folder


@pytest.fixture
def folder(shipped: Path, tmp_path: Path) -> Path:
    return shutil.copytree(shipped, tmp_path / "copy")


def test_a_loaded_network_is_ready(shipped: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network = mixspace.load(shipped)
    assert torch.equal(torch.get_rng_state(), before)
    assert isinstance(network, LoadedNetwork)
    assert not network.training
    assert network.classes[1] == "Trouser"
    images = torch.randn(3, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(network(images), used(architecture())(images))
    assert network.state_dict().keys() == used(architecture()).state_dict().keys()
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert again.classes == network.classes
        assert torch.equal(again(images), network(images))


def test_a_picture_may_be_a_file_or_what_pillow_has_opened(shipped: Path, tmp_path: Path) -> None:
    network = mixspace.load(str(shipped))
    exif = Image.Exif()
    exif[0x0112] = 6
    file = tmp_path / "picture.jpg"
    Image.linear_gradient("L").convert("RGB").resize((60, 40)).save(file, exif=exif)
    with Image.open(file) as picture:
        inputs = [network.preprocess(each) for each in (file, str(file), picture)]
    assert inputs[0].shape == (1, 28, 28)
    assert torch.equal(inputs[0], inputs[1])
    assert torch.equal(inputs[0], inputs[2])
    with pytest.raises(OSError, match=r"absent\.png"):
        network.preprocess("absent.png")


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def cut(name: str) -> Callable[[Path], object]:
    def shorten(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return shorten


def flip(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 64
    path.write_bytes(content)


def other_network(folder: Path) -> None:
    values = json.loads((folder / "architecture.json").read_text())
    values["stages"][0]["mlp_ratio"] = 3
    (folder / "architecture.json").write_text(json.dumps(values))


def pickled(folder: Path) -> None:
    torch.save(used(architecture()).state_dict(), folder / "model.safetensors")


def plain_safetensors(folder: Path) -> None:
    save_file(used(architecture()).state_dict(), folder / "model.safetensors")


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without("architecture.json"), "architecture.json: .* does not exist; is it a folder that"),
        (without("model.safetensors"), "model.safetensors: .* does not exist"),
        (without("preprocessing.json"), "preprocessing.json: .* does not exist"),
        (without("classes.txt"), "classes.txt: .* does not exist"),
        (cut("architecture.json"), "architecture.json: .* is damaged"),
        (cut("model.safetensors"), "model.safetensors: .* is corrupt"),
        (cut("preprocessing.json"), "preprocessing.json: .* is damaged"),
        (cut("classes.txt"), "classes.txt: 4 names, and the network has 10 classes"),
        (flip, "model.safetensors: .* is corrupt \\(its hash does not match\\)"),
        (other_network, "model.safetensors: .* has the weights of architecture"),
        (pickled, "a pickle, which may run code; only safetensors are read"),
        (plain_safetensors, "is not an exported file of weights of this program"),
        (written("architecture.json", "[]"), "is damaged \\(it holds no object\\)"),
        (written("architecture.json", "[" * 100_000), "is damaged"),
        (written("architecture.json", '{"stem": 3}'), "architecture.json: "),
        (written("preprocessing.json", "{}"), "is no description of a preprocessing"),
    ],
    ids=lambda each: "" if callable(each) else each[:25],
)
def test_a_damaged_folder_is_refused(
    folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(folder)
    with pytest.raises(InputError, match=said):
        mixspace.load(folder)


def test_what_is_no_folder_of_an_export_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "absent", Path(__file__)):
        with pytest.raises(InputError, match=r"^architecture\.json: "):
            mixspace.load(place)
    for wrong in (7, "", "a\0"):
        with pytest.raises(InputError, match=r"^folder: "):
            mixspace.load(wrong)  # type: ignore[arg-type]


def test_no_code_of_the_folder_runs(folder: Path) -> None:
    for name in ("network.py", "infer.py"):
        (folder / name).write_text("raise SystemExit('run')")
    assert mixspace.load(folder).classes
