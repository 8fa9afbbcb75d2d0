"""All 74 types of token mixer in all block types: stand-alone, ONNX and torch.export."""

from dataclasses import replace
from pathlib import Path

import pytest

import mixspace
from space import BLOCK_TYPES, Architecture, MixerType, all_mixer_types
from space.mixer_types import mixer_type_named
from tests.space.test_every_mixer_type_trains import mixer_fields, network_of
from tests.trainers.export.samples import trained
from trainers.export import Preprocessing, export_network

PREPROCESSING = Preprocessing(2, 20, 14, 20, 1.0, "bicubic", "white", (0.5, 0.5), (0.2, 0.3))
SAMPLE = "Local ViT", "Dynamic Local-S MLP"
"""In one network, as tracing is what takes time; test_export.py has kernels for each image."""


def exported(architecture: Architecture, folder: Path) -> None:
    given = replace(trained(folder, architecture), classes=("a", "b", "c"))
    done = export_network(replace(given, preprocessing=PREPROCESSING), folder / "to")
    for name, allowed in {"network.py": 1e-5, "model.pt2": 1e-5, "model.onnx": 1e-4}.items():
        assert done.parities[name].error <= allowed, name
    assert mixspace.load(done.folder).architecture == architecture


@pytest.mark.thorough
def test_a_network_of_two_types_exports(tmp_path: Path) -> None:
    kinds = [mixer_fields(mixer_type_named(name)) for name in SAMPLE]
    values = network_of(all_mixer_types()[0], "prenorm").to_dict()
    for stage, mixer in zip(values["stages"], kinds, strict=True):
        stage |= {"depth": 1, "mixers": [mixer]}
    exported(Architecture.from_dict(values), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("block_type", BLOCK_TYPES)
@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_every_type_exports(mixer_type: MixerType, block_type: str, tmp_path: Path) -> None:
    exported(network_of(mixer_type, block_type), tmp_path)
