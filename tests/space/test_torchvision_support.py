"""torchvision and timm import, whether or not torchvision's binary part fits this torch."""

import subprocess
import sys
from types import ModuleType

import pytest

from space.torchvision_support import prepare_torchvision

PREPARE = "from space.torchvision_support import prepare_torchvision as prepare; "


def python(code: str) -> str:
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@pytest.mark.thorough
def test_after_preparing_timm_imports() -> None:
    code = PREPARE + (
        "first = prepare(); import timm, torchvision; from torchvision.ops import roi_align;"
        "from torchvision.extension import _has_ops; print(first, _has_ops(), prepare() == first)"
    )
    defined, loaded, same = python(code).split()
    assert same == "True"
    assert {defined, loaded} == {"True", "False"}  # defined if and only if nothing was loaded


@pytest.mark.thorough
def test_where_the_operators_are_there_nothing_is_defined() -> None:
    code = (
        "import torch; library = torch.library.Library('torchvision', 'FRAGMENT');"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor');"
        "library.define('qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor');"
        + PREPARE
        + "print(prepare()); import torchvision"
    )
    assert python(code) == "False"


def test_once_torchvision_is_imported_nothing_is_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    assert prepare_torchvision.__wrapped__() is False
