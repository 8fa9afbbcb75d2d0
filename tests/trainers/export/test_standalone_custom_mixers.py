"""Registered mixers in stand-alone files: with their own source, or refused with the reason."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import mixspace.mixers
from space import BLOCK_TYPES, Architecture, InputError, Mixer
from space.architecture import Head, Input, Stage, Stem
from space.custom.registry import forget
from tests.trainers.export.standalone_files import assert_same, images, pair, unused
from trainers.export.standalone import refusals, standalone_source

NAMES = (
    "global filter",
    "identity",
    "large kernel pair",
    "linear attention",
    "pooling",
    "selective scan",
)


def network(*mixers: Mixer, block_type: str = "conv") -> Architecture:
    stages = (Stage(len(mixers), 16, 2, mixers), Stage(1, 32, 2, (Mixer.named("vit", heads=4),)))
    return Architecture(Input(3, 32, 28), Stem(4), block_type, stages, Head(5))  # type: ignore[arg-type]


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_those_of_mixspace_stand_in_a_file(block_type: str) -> None:
    assert len(mixspace.mixers.__all__) == len(NAMES)
    options = {"large kernel pair": {"kernel_size": 13}, "pooling": {"kernel_size": 5}}
    mixers = [Mixer.named(name, **options.get(name, {})) for name in NAMES]
    architecture = network(*mixers, block_type=block_type)
    assert refusals(architecture) == []
    source = standalone_source(architecture)
    assert unused(source) <= {"build", "load"}
    assert "register_mixer" not in source
    assert "# As registered in mixspace.mixers.pooling.\nclass Pooling(nn.Module):" in source
    assert "LargeKernelPair(16, MapSize(8, 7), kernel_size=13)" in source
    theirs, ours = pair(architecture, source)
    assert_same(theirs, ours, images(architecture))


HEAD = """
import math
import torch
from torch import Tensor, nn
from mixspace import MapSize, register_mixer
"""
BODY = """
    def __init__(self, width: int, size: MapSize) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width, 1, 1))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.weight
"""
MODULES = {
    "its own helpers": (
        f"{HEAD}\nSCALE = 3\n\ndef scaled(x: Tensor) -> Tensor:\n    return x * SCALE\n\n"
        f'@register_mixer("mine")\nclass Mine(nn.Module):{BODY}'.replace(
            "values * self", "math.pi * scaled(values) * self"
        ),
        None,
    ),
    "annotated names that name each other": (
        f"{HEAD}\nSCALE: int = 3\nOTHER, *MORE = 1, 2\n\n"
        "def up(x: Tensor) -> Tensor:\n    return x * SCALE if SCALE > 1 else down(x)\n\n"
        "def down(x: Tensor) -> Tensor:\n    return up(x) / SCALE\n\n"
        f'@register_mixer("mine")\nclass Mine(nn.Module):{BODY}'.replace(
            "values * self", "up(values) * down(values) * self"
        ),
        None,
    ),
    "another package": (
        f'import numpy\n{HEAD}\n@register_mixer("mine")\nclass Mine(nn.Module):{BODY}'.replace(
            "values *", "float(numpy.pi) * values *"
        ),
        "it imports numpy, which is neither of torch nor of the standard library",
    ),
    "a function": (
        f"{HEAD}\nclass Mine(nn.Module):{BODY}\n"
        '@register_mixer("mine")\ndef mine(width, size):\n    return Mine(width, size)\n',
        "it is made by a function, and no class at the top of a module",
    ),
    "a class that is hidden": (
        f"{HEAD}\ndef make():\n"
        + f"    class Mine(nn.Module):{BODY}".replace("\n", "\n    ")
        + '\n    return Mine\n\nMine = register_mixer("mine")(make())\n',
        "it is made by a function, and no class at the top of a module",
    ),
    "a name from nowhere": (
        f"{HEAD}\nfor far in [3]:\n    pass\n\n"
        f'@register_mixer("mine")\nclass Mine(nn.Module):{BODY}'.replace(
            "values *", "far * values *"
        ),
        "it names far, which the top of my_own_mixer does not define",
    ),
    "the name of a part": (
        f'{HEAD}\n@register_mixer("mine")\nclass Block(nn.Module):{BODY}',
        "Block of the mixer 'mine' is something else too",
    ),
    "what sizes do not promise": (
        f'{HEAD}\n@register_mixer("mine")\nclass Mine(nn.Module):{BODY}'.replace(
            "torch.ones(width, 1, 1)", "torch.ones(width, 1, 1) * size.longest"
        ),
        "it asks for .longest, which sizes do not promise",
    ),
}


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "my_own_mixer.py"
    sys.modules.pop("my_own_mixer", None)
    forget("mine")


@pytest.mark.parametrize("case", MODULES)
def test_others_stand_in_a_file_or_say_why_not(case: str, own_module: Path) -> None:
    text, reason = MODULES[case]
    own_module.write_text(text)
    __import__("my_own_mixer")
    architecture = network(Mixer.named("mine"))
    if reason is None:
        assert refusals(architecture) == []
        theirs, ours = pair(architecture, standalone_source(architecture))
        assert_same(theirs, ours, images(architecture))
        return
    [said] = refusals(architecture)
    assert said.endswith(reason)
    with pytest.raises(InputError, match="architecture: ") as refused:
        standalone_source(architecture)
    assert [problem.message for problem in refused.value.problems] == [said]


def test_one_that_nobody_has_registered_is_refused(own_module: Path) -> None:
    own_module.write_text(MODULES["its own helpers"][0])
    __import__("my_own_mixer")
    text = network(Mixer.named("mine")).to_json()
    forget("mine")
    [said] = refusals(Architecture.from_json(text))
    assert "no mixer is registered by the name 'mine'" in said


def test_one_whose_source_is_in_no_file_is_refused(own_module: Path) -> None:
    own_module.write_text(MODULES["its own helpers"][0])
    module = __import__("my_own_mixer")
    module.Mine.__module__ = "builtins"
    [said] = refusals(network(Mixer.named("mine")))
    assert said.endswith("its source is in no file that can be read")


def test_weights_that_no_file_has_a_form_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        import_module("trainers.export.standalone.refusals"), "WRITTEN_SOURCES", ("static",)
    )
    reason = "weights that are attention have no stand-alone form yet"
    assert refusals(network(Mixer.named("dw-s conv", kernel_size=3))) == [reason]
