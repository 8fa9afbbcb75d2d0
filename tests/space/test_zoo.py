"""The zoo: published networks as points, authors' checkpoints, and timm's registry."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import space.zoo as zoo  # first: it makes timm importable beside a CPU build of torch
from space import InputError, cost
from space.networks import build
from space.zoo.authors_weights import authors_keys

import timm  # isort: skip


PARAMS = {
    "swin_tiny": 28_288_354,
    "swin_base": 87_768_224,
    "dwnet_tiny": 24_172_744,
    "dwnet_base": 74_347_112,
    "dynamic_dwnet_tiny": 51_131_752,
    "dynamic_dwnet_base": 161_597_928,
    "i_dynamic_dwnet_tiny": 26_244_280,
    "i_dynamic_dwnet_base": 80_253_608,
    "local_mlp_tiny": 24_274_450,
    "local_mlp_base": 74_624_224,
    "convnext_tiny": 28_589_128,
}


@pytest.mark.parametrize("name", zoo.ENTRIES)
def test_every_network_builds_with_its_params(name: str) -> None:
    entry = zoo.entry(name)
    spent = cost(entry.architecture)
    with torch.device("meta"):
        network = zoo.create(name).eval()
        assert network(torch.empty(1, 3, 224, 224)).shape == (1, 1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == spent.params
    if name in PARAMS:
        assert spent.params == PARAMS[name]
    assert entry.provenance


AUTHORS_KEYS = {
    "dwnet_tiny": 353,
    "dwnet_base": 689,
    "dynamic_dwnet_tiny": 437,
    "dynamic_dwnet_base": 857,
    "i_dynamic_dwnet_tiny": 437,
    "i_dynamic_dwnet_base": 857,
}


@pytest.mark.parametrize("name", AUTHORS_KEYS)
def test_every_tensor_has_a_key_of_the_authors(name: str) -> None:
    entry = zoo.entry(name)
    assert entry.authors_variant is not None
    with torch.device("meta"):
        network = build(entry.architecture)
    keys = authors_keys(network, entry.authors_variant)
    assert set(keys) == set(network.state_dict())
    assert len(set(keys.values())) == len(keys) == AUTHORS_KEYS[name]


def authors_state(name: str) -> dict[str, torch.Tensor]:
    """A checkpoint in the authors' layout, with the shapes that their code has."""
    entry = zoo.entry(name)
    assert entry.authors_variant is not None
    network = build(entry.architecture)
    state = {}
    for ours, theirs in authors_keys(network, entry.authors_variant).items():
        value = torch.randn_like(network.state_dict()[ours].float())
        linear = theirs.endswith(("fc1.weight", "fc2.weight", "reduction.weight"))
        state[theirs] = value.flatten(1) if linear else value.abs()
    return state


def test_an_authors_checkpoint_loads_strictly() -> None:
    state = authors_state("i_dynamic_dwnet_tiny")
    key = "layers.2.blocks.5.attn2conv.conv.conv2.0.weight"
    assert state[key].shape == (49 * 32, 96, 1, 1)
    network = zoo.load_authors_weights("i_dynamic_dwnet_tiny", {"model": state, "epoch": 3})
    assert not network.training
    loaded = network.state_dict()["stages.2.5.mix.3.mixing.weights.expand.weight"]
    assert torch.equal(loaded, state[key])

    state["surprise"] = torch.zeros(1)
    state["head.bias"] = torch.zeros(7)
    del state["norm.weight"]
    with pytest.raises(InputError) as refusal:
        zoo.load_authors_weights("i_dynamic_dwnet_tiny", state)
    assert {str(problem) for problem in refusal.value.problems} == {
        "surprise: is not expected",
        "head.bias: has shape (7,); needed: (1000,)",
        "norm.weight: is missing",
    }


def test_a_checkpoint_of_another_variant_is_refused() -> None:
    with pytest.raises(InputError, match="is missing"):
        zoo.load_authors_weights("dynamic_dwnet_tiny", authors_state("dwnet_tiny"))
    with pytest.raises(InputError, match="the authors' layout has no 'swin_tiny'"):
        zoo.load_authors_weights("swin_tiny", {})
    with pytest.raises(InputError, match="not in the zoo; try dwnet_"):
        zoo.create("dwnet")


def test_weights_come_from_files_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    network = zoo.create("dwnet_tiny", num_classes=3)
    save_file(network.state_dict(), path)
    again = zoo.create("dwnet_tiny", num_classes=3, pretrained_weights=path)
    assert torch.equal(again.head.classify.weight, network.head.classify.weight)
    with pytest.raises(InputError, match=r"head.classify.bias: has shape \(3,\); needed: \(4,\)"):
        zoo.create("dwnet_tiny", num_classes=4, pretrained_weights=path)
    path.write_bytes(b"junk")
    with pytest.raises(InputError, match="is no safetensors file"):
        zoo.create("dwnet_tiny", pretrained_weights=path)


def test_timm_makes_features_of_four_stages() -> None:
    model = timm.create_model("mixspace_dynamic_dwnet_tiny", features_only=True).eval()
    maps = model(torch.randn(1, 3, 224, 224))
    assert [tuple(x.shape) for x in maps] == [
        (1, 96, 56, 56),
        (1, 192, 28, 28),
        (1, 384, 14, 14),
        (1, 768, 7, 7),
    ]
    assert model.feature_info.reduction() == [4, 8, 16, 32]
    some = timm.create_model("mixspace_swin_tiny", features_only=True, out_indices=(0, 2))
    assert some.feature_info.channels() == [96, 384]
    assert len(some(torch.randn(1, 3, 224, 224))) == 2


@pytest.mark.parametrize("name", ["pvt_like", "swin_tiny", "resmlp_like"])
def test_timm_changes_images_classes_and_drop_path(name: str) -> None:
    model = timm.create_model(
        f"mixspace_{name}", img_size=(64, 96), in_chans=1, num_classes=5, drop_path_rate=0.2
    ).eval()
    images = torch.randn(2, 1, 64, 96)
    logits = model(images)
    assert logits.shape == (2, 5)
    features = model.forward_features(images)
    torch.testing.assert_close(model.forward_head(features), logits)
    pooled = model.forward_head(features, pre_logits=True)
    model.reset_classifier(0)
    torch.testing.assert_close(model(images), pooled)
    assert model.stages[-1][-1].drop_path.rate == pytest.approx(0.2)


def test_every_network_is_registered_with_timm() -> None:
    assert set(timm.list_models("mixspace_*")) == {f"mixspace_{name}" for name in zoo.ENTRIES}
