"""The zoo: published networks as points, authors' checkpoints, and timm's registry."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import space.zoo as zoo  # first: it makes timm importable beside a CPU build of torch
from space import InputError, cost
from space.networks import build
from space.zoo.pretrained import authors_keys, load_strictly

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


NORM = ("weight", "bias", "running_mean", "running_var")
Shapes = dict[str, tuple[int, ...]]


def norm(key: str, width: int) -> Shapes:
    shapes: Shapes = {f"{key}.{leaf}": (width,) for leaf in NORM}
    return shapes | {f"{key}.num_batches_tracked": ()}


def mixing(variant: str, key: str, width: int) -> Shapes:
    """What the authors have under `attn2conv.conv`, from the key table of their checkpoints."""
    hidden = width // 4
    if variant == "dwnet":
        return {f"{key}.weight": (width, 1, 7, 7), f"{key}.bias": (width,)}
    if variant == "dynamic_dwnet":
        return {
            f"{key}.bias": (width,),
            f"{key}.conv1.weight": (hidden, width, 1, 1),
            **norm(f"{key}.bn", hidden),
            f"{key}.conv2.weight": (49 * width, hidden, 1, 1),
            f"{key}.conv2.bias": (49 * width,),
        }
    return {
        f"{key}.conv1.0.weight": (hidden, width, 1, 1),
        f"{key}.conv1.0.bias": (hidden,),
        **norm(f"{key}.conv1.1", hidden),
        f"{key}.conv2.0.weight": (49 * 32, hidden, 1, 1),
        f"{key}.conv2.0.bias": (49 * 32,),
    }


def block(variant: str, key: str, width: int) -> Shapes:
    inner = f"{key}.attn2conv"
    return {
        f"{inner}.conv0.weight": (width, width, 1, 1),
        **norm(f"{inner}.bn0", width),
        **mixing(variant, f"{inner}.conv", width),
        **norm(f"{inner}.bn", width),
        f"{inner}.conv2.weight": (width, width, 1, 1),
        **norm(f"{inner}.bn2", width),
        f"{key}.mlp.fc1.weight": (4 * width, width),
        f"{key}.mlp.fc1.bias": (4 * width,),
        f"{key}.mlp.fc2.weight": (width, 4 * width),
        f"{key}.mlp.fc2.bias": (width,),
        **norm(f"{key}.bn", width),
    }


def authors_table(name: str) -> Shapes:
    """Every key of the authors' checkpoint with its shape, written out without our code."""
    variant, size = name.rsplit("_", 1)
    first, depths = {"tiny": (96, (2, 2, 6, 2)), "base": (128, (2, 2, 18, 2))}[size]
    shapes: Shapes = {"patch_embed.proj.weight": (first, 3, 4, 4)}
    shapes |= dict.fromkeys(("patch_embed.proj.bias", "patch_embed.norm.weight"), (first,))
    shapes["patch_embed.norm.bias"] = (first,)
    for stage, depth in enumerate(depths):
        width = first * 2**stage
        for index in range(depth):
            shapes |= block(variant, f"layers.{stage}.blocks.{index}", width)
        if stage < 3:
            merge = f"layers.{stage}.downsample"
            shapes[f"{merge}.reduction.weight"] = (2 * width, 4 * width)
            shapes |= {f"{merge}.norm.{leaf}": (4 * width,) for leaf in ("weight", "bias")}
    last = 8 * first
    shapes |= {"norm.weight": (last,), "norm.bias": (last,)}
    return shapes | {"head.weight": (1000, last), "head.bias": (1000,)}


@pytest.mark.parametrize("name", AUTHORS_KEYS)
def test_keys_and_shapes_are_those_of_the_authors(name: str) -> None:
    entry = zoo.entry(name)
    assert entry.authors_variant is not None
    with torch.device("meta"):
        network = build(entry.architecture)
    own, table = network.state_dict(), authors_table(name)
    keys = authors_keys(network, entry.authors_variant)
    assert set(keys.values()) == set(table)
    for ours, theirs in keys.items():
        shape = tuple(own[ours].shape)
        assert shape in (table[theirs], (*table[theirs], 1, 1)), theirs


def authors_state(name: str) -> dict[str, torch.Tensor]:
    """A random checkpoint in the authors' layout."""
    return {
        key: torch.rand(shape) if shape else torch.tensor(3)
        for key, shape in authors_table(name).items()
    }


@pytest.mark.parametrize(
    "junk", [None, 7, [1], {"model": 3}, {"model": {}}, {3: 1, "a": 2}, {"head.bias": None}]
)
def test_junk_for_a_state_dict_is_refused(junk: object) -> None:
    with pytest.raises(InputError):
        zoo.load_authors_weights("dwnet_tiny", junk)
    if junk is not None:
        with pytest.raises(InputError):
            zoo.create("resmlp_like", pretrained_weights=junk)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [3, ["a"], None])
def test_junk_for_a_name_is_refused(name: object) -> None:
    with pytest.raises(InputError, match="no name of the zoo"):
        zoo.create(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"num_classes": -3}, "num_classes: -3 is not allowed"),
        ({"img_size": "64"}, "img_size: '64' is no edge"),
        ({"img_size": 0}, "input.height: "),
        ({"img_size": -4}, "input.width: "),
        ({"img_size": (64, 0)}, "input.width: "),
        ({"in_chans": 0}, "input.channels: "),
        ({"drop_rate": 1.0}, "drop_rate: 1.0 is not a rate"),
        ({"drop_path_rate": -0.1}, "drop_path_rate: -0.1 is not a rate"),
        ({"drop_path_rate": "a"}, "drop_path_rate: 'a' is not a rate"),
        ({"drop_path_rate": True}, "drop_path_rate: True is not a rate"),
        ({"drop_path_rate": float("nan"), "drop_rate": []}, "drop_path_rate: nan is not a rate"),
    ],
)
def test_odd_options_of_timm_are_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        timm.create_model("mixspace_dwnet_tiny", **options)


@pytest.mark.parametrize("rate", ["a", None, True, -0.1, 1, float("nan")])
def test_a_network_refuses_what_is_no_rate(rate: Any) -> None:
    with pytest.raises(InputError, match="drop_path_rate: "):
        build(zoo.ENTRIES["resmlp_like"].architecture, drop_path_rate=rate)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x.to("meta"), "is on the device meta, without data"),
        (lambda x: x.to_sparse(), "has layout torch.sparse_coo; needed: a dense tensor"),
        (lambda x: x.to(torch.complex64), "has dtype torch.complex64; needed: floating point"),
        (lambda x: x > 0, "has dtype torch.bool; needed: floating point"),
        (lambda x: x.to(torch.int8), "has dtype torch.int8; needed: floating point"),
        (lambda x: torch.nested.nested_tensor([x]), "has layout nested; needed: a dense"),
    ],
)
def test_tensors_whose_numbers_are_not_there_or_others_are_refused(
    spoil: Callable[[torch.Tensor], torch.Tensor], message: str
) -> None:
    network = build(zoo.ENTRIES["resmlp_like"].architecture)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    given = {key: value + 1 for key, value in before.items()}
    given["head.classify.bias"] = spoil(given["head.classify.bias"])
    with pytest.raises(InputError) as refusal:
        load_strictly(network, given)
    (problem,) = refusal.value.problems
    assert problem.where == "head.classify.bias"
    assert problem.message.startswith(message)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_half_precision_fits_and_a_fraction_is_no_count() -> None:
    norm = torch.nn.BatchNorm2d(3)
    state = {key: value.clone() for key, value in norm.state_dict().items()}
    load_strictly(norm, state | {"weight": torch.full((3,), 0.5, dtype=torch.float16)})
    assert norm.weight.tolist() == [0.5, 0.5, 0.5]
    with pytest.raises(InputError, match=r"num_batches_tracked: has dtype .*; needed: whole"):
        load_strictly(norm, state | {"num_batches_tracked": torch.tensor(1.5)})


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
    names = {"mixspace_network"} | {f"mixspace_{name}" for name in zoo.ENTRIES}
    assert set(timm.list_models("mixspace_*")) == names
