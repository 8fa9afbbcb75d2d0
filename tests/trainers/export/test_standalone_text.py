"""How a stand-alone file is written: formatted, alone, only what is needed, and readable."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from space import BLOCK_TYPES, Architecture, Mixer, all_mixer_types
from space.architecture import Head, Input, Stage, Stem
from space.networks import build
from space.published import ENTRIES
from tests.space.spaces import everything
from tests.space.test_every_mixer_type_trains import network_of
from tests.trainers.export.standalone_files import executed, images, unused
from trainers.export.standalone import standalone_source
from trainers.export.standalone.draft import Term
from trainers.export.standalone.imports import Import, import_lines
from trainers.export.standalone.text import Listing, Loop, Named, broken, call

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden" / "four_operators.py"


def four_operators() -> Architecture:
    """Several of the paper's operators in one network, as a search may find it."""
    depthwise, wide = (Mixer.named("dw-s conv.", kernel_size=k) for k in (5, 7))
    local = Mixer.named("local vit", kernel_size=7, heads=4)
    inhomogeneous = Mixer.named("dynamic local-s mlp", kernel_size=5, heads=16)
    reduced = Mixer.named("pvt", ratio=2, heads=8)
    stages = (
        Stage(2, 64, 2, (depthwise,)),
        Stage(4, 128, 2, (wide, local)),
        Stage(8, 256, 4, (inhomogeneous, reduced)),
    )
    return Architecture(Input(3, 112, 112), Stem(4), "prenorm", stages, Head(10))


def test_the_file_of_four_operators_is_as_it_was_read() -> None:
    """`python -m tests.trainers.export.test_standalone_text` writes it anew."""
    assert standalone_source(four_operators()) == GOLDEN.read_text("utf-8")


def test_files_are_formatted_and_linted(tmp_path: Path) -> None:
    """By the rules of this repository, with no line too long."""
    ruff = shutil.which("ruff", path=Path(sys.executable).parent) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("no ruff")
    rng = np.random.default_rng(0)
    networks = [network_of(each, kind) for each in all_mixer_types() for kind in BLOCK_TYPES]
    networks += [everything().sample(rng) for _ in range(40)]
    networks += [entry.architecture for entry in ENTRIES.values()]
    for index, network in enumerate(networks):
        (tmp_path / f"network_{index}.py").write_text(standalone_source(network), "utf-8")
    config = ("--no-cache", "--config", str(ROOT / "pyproject.toml"))
    for command in ("format", "--check"), ("check",):
        done = subprocess.run(
            [ruff, *command, *config, str(tmp_path)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[:3000] + done.stderr


@pytest.mark.parametrize("name", ["dwnet_tiny", "swin_tiny"])
def test_a_file_has_nothing_that_it_does_not_need(name: str) -> None:
    source = standalone_source(ENTRIES[name].architecture)
    assert unused(source) == {"load"}
    assert ("class WindowAttention" in source) == (name == "swin_tiny")
    assert ("class DepthwiseConv" in source) == (name == "dwnet_tiny")
    assert not {"Weights", "BatchNorm", "WeightGenerator"} & set(vars(executed(source)))


def test_numbers_stand_where_a_network_has_one_and_arguments_where_several() -> None:
    swin = standalone_source(ENTRIES["swin_tiny"].architecture)
    assert "Block(384, heads=12, size=(14, 14), shift=3)," in swin
    assert "split_windows(x, 7, self.shift)" in swin
    large = standalone_source(ENTRIES["large_kernel_31"].architecture)
    assert "[Block(96, kernel_size=31) for _ in range(2)]" in large
    assert "padding=kernel_size // 2" in large
    dwnet = standalone_source(ENTRIES["dwnet_tiny"].architecture)
    assert "nn.Conv2d(width, width, 7, padding=3, groups=width, bias=False)" in dwnet


def test_long_patterns_are_loops() -> None:
    source = standalone_source(ENTRIES["swin_base"].architecture)
    assert "for _ in range(9)\n            for block in (\n" in source
    assert len(standalone_source(ENTRIES["dwnet_base"].architecture).splitlines()) < 200


def test_what_network_it_is_stands_first() -> None:
    architecture = ENTRIES["dwnet_tiny"].architecture
    doc = executed(standalone_source(architecture)).__doc__
    assert doc is not None
    assert doc.startswith("DW-S Conv.: from images of 224×224 pixels to 1000 logits.")
    words = " ".join(doc.split())
    for each in (architecture.id, "24,172,744 parameters", "ICLR 2022", "arXiv 2106.04263"):
        assert each in words
    assert "stage 3: 14×14, 384 channels, 6 blocks: DW-S Conv. k7" in words


ALONE = """
import json, sys, torch
torch.manual_seed(0)
import network
found = network.{made}
images = torch.load("images.pt", weights_only=True)
with torch.no_grad():
    logits = found.eval()(images)
ours = ("mixspace", "space", "trainers", "search")
print(json.dumps({{"logits": logits.tolist(), "ours": [n for n in ours if n in sys.modules]}}))
"""


@pytest.mark.thorough
def test_it_runs_where_nothing_of_mixspace_is(tmp_path: Path) -> None:
    """In another process, in an empty folder, with the weights of a safetensors file."""
    architecture = four_operators()
    ours = build(architecture, weight_init="lecun", seed=0).eval()
    batch = images(architecture).float()
    (tmp_path / "network.py").write_text(standalone_source(architecture), "utf-8")
    (tmp_path / "main.py").write_text(ALONE.format(made='load("weights.safetensors")'))
    save_file(ours.state_dict(), tmp_path / "weights.safetensors")
    torch.save(batch, tmp_path / "images.pt")
    done = subprocess.run(
        [sys.executable, "main.py"],
        cwd=tmp_path,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["ours"] == []
    with torch.no_grad():
        torch.testing.assert_close(torch.tensor(said["logits"]), ours(batch), rtol=1e-4, atol=1e-5)


def test_texts_are_broken_where_a_formatter_would() -> None:
    short = call("made", "width", bias=False, groups=None)
    assert broken(short, 4, "self.it = ") == ["    self.it = made(width, bias=False)"]
    wide = call("made", "a" * 40, "b" * 40, size=(7, 7))
    assert broken(wide, 0, "self.it = ") == [
        "self.it = made(",
        f"    {'a' * 40}, {'b' * 40}, size=(7, 7)",
        ")",
    ]
    listed = Listing((call("made", "a" * 50), call("made", "b" * 50)))
    assert broken(listed, 0, "it = ") == [
        "it = [",
        f"    made({'a' * 50}),",
        f"    made({'b' * 50}),",
        "]",
    ]
    loop = Loop("each", (("_", "range(2)"), ("each", listed)))
    assert broken(loop, 0, "it = ")[:4] == [
        "it = [",
        "    each",
        "    for _ in range(2)",
        "    for each in [",
    ]


def test_a_named_argument_is_broken_behind_its_name() -> None:
    named = Named("each", Listing((call("made", "a" * 50), call("made", "b" * 50))))
    assert broken(named, 4, "", ",") == [
        "    each=[",
        f"        made({'a' * 50}),",
        f"        made({'b' * 50}),",
        "    ],",
    ]


def test_products_are_written_as_short_as_they_are() -> None:
    one, two, width = Term.of(1), Term.of(2), Term("width")
    assert (str(one * width), str(width * one)) == ("width", "width")
    assert (str(two * width), str(width * two), (two * two).value) == ("2 * width", "2 * width", 4)
    assert str(width * Term("a + b")) == "width * (a + b)"
    assert str(Term("width // 2") * width) == "(width // 2) * width"
    assert (str(width.squared), two.squared.value) == ("width**2", 4)
    assert (str(Term("a + b") // 2), (Term.of(7) // 2).value) == ("(a + b) // 2", 3)


def test_imports_stand_in_the_order_of_ruff() -> None:
    found = import_lines([Import("a", each) for each in ("find", "Found", "FOUND", "X", "y")])
    assert found == "from a import FOUND, Found, X, find, y"


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(standalone_source(four_operators()), "utf-8")
