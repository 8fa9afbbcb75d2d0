"""The parts of a stand-alone file put together: those that are needed, in their order."""

import re
import textwrap

from space.architecture import Architecture, Stage
from space.cost import cost
from space.geometry import MapSize
from trainers.export.standalone import layers
from trainers.export.standalone.blocks import BlockText, write_block, write_mlp
from trainers.export.standalone.custom_mixers import MAP_SIZE, Included, all_included
from trainers.export.standalone.draft import Draft, Uses, Value
from trainers.export.standalone.imports import ALWAYS, FUNCTIONAL, NAMED_TUPLE, TORCH, import_lines
from trainers.export.standalone.kernels import NEIGHBOURS
from trainers.export.standalone.mixers import MixerClasses
from trainers.export.standalone.network import network
from trainers.export.standalone.places import Place, Survey
from trainers.export.standalone.text import LINE_LENGTH, Call, docstring
from trainers.export.standalone.weights import WEIGHTS
from trainers.export.standalone.windows import window_functions


def assembled(architecture: Architecture) -> str:
    """The whole text.

    Raises:
        NotIncludedError: for custom mixers that cannot stand in one file.
    """
    survey = Survey.of(architecture)
    batch_norm = "BatchNorm" if survey.lone_values else "nn.BatchNorm2d"
    mixers = MixerClasses(survey, batch_norm)
    block, blocks, mlp = _blocks(survey, batch_norm, mixers)
    around = {
        "MLP": mlp,
        "Block": block,
        "Stem": layers.stem(architecture, batch_norm),
        "Downsample": layers.downsample(architecture),
        "Head": layers.head(architecture),
        "Network": network(architecture, blocks),
        "build": _BUILD,
        "load": _LOAD,
    }
    below = {**_shared(architecture), **window_functions(survey), **mixers.texts}
    imported = {each.bound: each for each in (*ALWAYS, TORCH, FUNCTIONAL, NAMED_TUPLE)}
    custom = all_included(survey.custom_mixers, {**below, **around, **imported})
    needed = _needed({**below, **custom.texts, **around})
    doc = "\n".join(docstring(_module_doc(architecture), 0))
    return "\n\n\n".join([f"{doc}\n\n{_imports(needed, custom)}", *needed]) + "\n"


def _shared(architecture: Architecture) -> dict[str, str]:
    merges = architecture.downsample == "merge" and len(architecture.stages) > 1
    plain = any(mixer.query_key_bias is False for mixer in architecture.mixers())
    return {
        "LayerNorm": layers.LAYER_NORM,
        "BatchNorm": layers.BATCH_NORM,
        "linear": layers.LINEAR_WITHOUT_BIAS if merges or plain else layers.LINEAR,
        "Weights": WEIGHTS,
        "MapSize": MAP_SIZE,
        "neighbour_maps": NEIGHBOURS,
    }


# --- blocks ---------------------------------------------------------------------------------------


def _blocks(
    survey: Survey, batch_norm: str, mixers: MixerClasses
) -> tuple[str, list[list[Call]], str]:
    """The class of blocks, the calls that make those of each stage, and the class of their MLP."""
    stages = survey.architecture.stages
    of_block = [stage for stage in stages for _ in range(stage.depth)]
    shapes: list[dict[str, Value]] = [
        {"width": stage.width, "hidden": stage.hidden_width} for stage in of_block
    ]
    mlp = Draft("MLP", Uses(shapes))
    mlp_text = write_mlp(mlp)
    own = [mixers.arguments(place) if mixers.alone else {} for place in survey.places]
    values = [{**shape, **more} for shape, more in zip(shapes, own, strict=True)]
    draft = Draft("Block", Uses(values), () if mixers.alone else ("mixer",))
    made: Call | str = "mixer"
    if mixers.alone:
        texts = {name: draft.term(name).text for name in values[0]}
        made = mixers.expression(survey.places[0], texts)
    inner = mlp.called({name: draft.term(name).text for name in mlp.arguments})
    block = write_block(draft, BlockText(survey, batch_norm, made, inner))
    calls = iter(
        _block_call(draft, mixers, place, value)
        for place, value in zip(survey.places, values, strict=True)
    )
    return block, [[next(calls) for _ in range(stage.depth)] for stage in stages], mlp_text


def _block_call(draft: Draft, mixers: MixerClasses, place: Place, value: dict[str, Value]) -> Call:
    plain = {name: repr(value[name]) for name in draft.arguments if name not in draft.modules}
    return draft.called(plain if mixers.alone else {**plain, "mixer": mixers.expression(place)})


# --- the module -----------------------------------------------------------------------------------


def _needed(parts: dict[str, str]) -> list[str]:
    """The texts of the parts that are used, in their order."""
    kept, new = set[str](), {"build", "load"}
    while new:
        kept |= new
        words = set(re.findall(r"\w+", "\n".join(parts[name] for name in new)))
        new = (words & parts.keys()) - kept
    return [text for name, text in parts.items() if name in kept]


def _imports(texts: list[str], custom: Included) -> str:
    whole = "\n".join(texts)
    words = {TORCH: r"\btorch\.", FUNCTIONAL: r"\bF\.", NAMED_TUPLE: r"\bNamedTuple\b"}
    used = [each for each, word in words.items() if re.search(word, whole)]
    return import_lines([*ALWAYS, *used, *custom.imports.values()])


_BUILD = '''def build() -> Network:
    """The network with its first weights."""
    return Network()'''

_LOAD = '''def load(path: str) -> Network:
    """The network with the weights of a safetensors file, in eval mode."""
    from safetensors.torch import load_file

    network = build()
    network.load_state_dict(load_file(path))
    return network.eval()'''


def _module_doc(architecture: Architecture) -> str:
    total = cost(architecture)
    image = architecture.input
    logits = f"{architecture.head.classes} logits" if architecture.head.classes else "features"
    stages = zip(architecture.stages, architecture.stage_sizes(), strict=True)
    rows = "\n".join(_row(index, *each) for index, each in enumerate(stages, 1))
    return (
        f"{architecture.name}: from images of {image.height}×{image.width} pixels to {logits}.\n\n"
        f"{total.params:,} parameters, and {total.macs:,} multiply-accumulates for an image. Made "
        f"by mixspace, where its id is {architecture.id}.\n\n"
        f"{rows}\n\n"
        "Names and formulas are those of the paper: Han, Fan, Dai, Sun, Cheng, Liu, Wang, On the "
        "Connection between Local Attention and Dynamic Depth-wise Convolution, ICLR 2022, "
        "arXiv 2106.04263. A batch is (B, C, H, W): B images, C channels, N = H · W positions. A "
        "position p reads positions q; y[p, c] is the result at p in channel c."
    )


def _row(index: int, stage: Stage, size: MapSize) -> str:
    blocks = "1 block" if stage.depth == 1 else f"{stage.depth} blocks"
    mixers = ", ".join(mixer.label for mixer in stage.mixers)
    row = f"stage {index}: {size.height}×{size.width}, {stage.width} channels, {blocks}: {mixers}"
    return textwrap.fill(row, LINE_LENGTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
