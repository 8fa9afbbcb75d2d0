"""Checkpoints of the paper's authors: their keys under our names, all of them or none."""

from collections.abc import Iterator, Mapping

from space.networks import Network
from space.published import Variant
from space.zoo.state_dicts import load_strictly

_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_LINEAR = ("weight", "bias")

_MIXING: dict[Variant, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "static": (("mixing.weights", "", ("weight",)), ("", "", ("bias",))),
    "dynamic": (
        ("", "", ("bias",)),
        ("mixing.weights.reduce", "conv1", ("weight",)),
        ("mixing.weights.norm", "bn", _NORM),
        ("mixing.weights.expand", "conv2", _LINEAR),
    ),
    "inhomogeneous": (
        ("mixing.weights.reduce", "conv1.0", _LINEAR),
        ("mixing.weights.norm", "conv1.1", _NORM),
        ("mixing.weights.expand", "conv2.0", _LINEAR),
    ),
}


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _block(ours: str, theirs: str, variant: Variant) -> Iterator[tuple[str, str]]:
    around = (
        ("mix.0", "attn2conv.conv0", ("weight",)),
        ("mix.1", "attn2conv.bn0", _NORM),
        ("mix.4", "attn2conv.bn", _NORM),
        ("mix.6", "attn2conv.conv2", ("weight",)),
        ("mix.7", "attn2conv.bn2", _NORM),
        ("norm", "bn", _NORM),
        ("mlp.expand", "mlp.fc1", _LINEAR),
        ("mlp.contract", "mlp.fc2", _LINEAR),
    )
    inside = tuple(
        (_join("mix.3", name), _join("attn2conv.conv", key), leaves)
        for name, key, leaves in _MIXING[variant]
    )
    for name, key, leaves in around + inside:
        for leaf in leaves:
            yield _join(ours, name, leaf), _join(theirs, key, leaf)


def authors_keys(network: Network, variant: Variant) -> dict[str, str]:
    """{our key: the authors' key} of every tensor of a network in the conv scaffold."""
    parts = [("stem.project", "patch_embed.proj"), ("stem.norm", "patch_embed.norm")]
    parts += [("head.norm", "norm"), ("head.classify", "head")]
    keys = {_join(a, leaf): _join(b, leaf) for a, b in parts for leaf in _LINEAR}
    stages = network.architecture.stages
    for index, stage in enumerate(stages):
        for block in range(stage.depth):
            theirs = f"layers.{index}.blocks.{block}"
            keys.update(_block(f"stages.{index}.{block}", theirs, variant))
        if index + 1 < len(stages):
            ours, theirs = f"downsamples.{index}", f"layers.{index}.downsample"
            keys |= {f"{ours}.norm.{leaf}": f"{theirs}.norm.{leaf}" for leaf in _LINEAR}
            keys[f"{ours}.reduce.weight"] = f"{theirs}.reduction.weight"
    return keys


def load_into(network: Network, variant: Variant, state_dict: object) -> None:
    """Loads a checkpoint of the authors, strictly.

    Args:
        network: of the variant, in the conv scaffold.
        variant: which of the authors' operators it has.
        state_dict: their state dict, or the whole checkpoint whose `model` entry it is.

    Raises:
        InputError: with the keys that are missing, not expected or of another shape; the network
            is then unchanged.
    """
    whole = isinstance(state_dict, Mapping) and "model" in state_dict
    inner = state_dict["model"] if isinstance(state_dict, Mapping) and whole else state_dict
    load_strictly(network, inner, authors_keys(network, variant))
