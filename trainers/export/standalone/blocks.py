"""Residual blocks and their MLP."""

from collections.abc import Callable
from dataclasses import dataclass

from trainers.export.standalone.draft import Draft, method
from trainers.export.standalone.places import Survey
from trainers.export.standalone.text import Expression, assign, broken, call

_FORWARD = "forward(self, x: Tensor) -> Tensor"


def write_mlp(draft: Draft) -> str:
    """The class of the MLP on the channels."""
    width, hidden = draft.term("width"), draft.term("hidden")
    init = [
        *assign("self.expand", call("linear", width, hidden)),
        *assign("self.contract", call("linear", hidden, width)),
    ]
    doc = "MLP on the channels of each position: linear, GELU, linear."
    body = "return self.contract(F.gelu(self.expand(x)))"
    return draft.written(doc, init, method(_FORWARD, body))


@dataclass(frozen=True, slots=True)
class BlockText:
    """What the class of blocks is written from.

    Attributes:
        survey: of the network.
        batch_norm: what batch norms are called.
        mixer: the expression of the mixer, in `__init__`.
        mlp: that of the MLP.
    """

    survey: Survey
    batch_norm: str
    mixer: Expression
    mlp: Expression


def write_block(draft: Draft, text: BlockText) -> str:
    """The class of blocks."""
    return _WRITERS[text.survey.architecture.block_type](draft, text)


def _write_conv(draft: Draft, text: BlockText) -> str:
    width, norm = draft.term("width"), call(text.batch_norm, draft.term("width"))
    pointwise = call("nn.Conv2d", width, width, 1, bias=False)
    pad = " " * 8
    layers = (pointwise, norm, "nn.ReLU()", text.mixer, norm, "nn.ReLU()", pointwise, norm)
    init = [
        f"{pad}self.mix = nn.Sequential(",
        *(line for layer in layers for line in broken(layer, 12, after=",")),
        f"{pad})",
        *assign("self.norm", norm),
        *assign("self.mlp", text.mlp),
    ]
    doc = (
        "The paper's block: 1×1 convolutions around the mixer, then the MLP, both residual.\n\n"
        "(B, C, H, W) to the same shape."
    )
    body = ("x = x + self.mix(x)", "return x + self.mlp(self.norm(x))")
    return draft.written(doc, init, method(_FORWARD, *body))


def _write_prenorm(draft: Draft, text: BlockText) -> str:
    width = draft.term("width")
    norm, square = call("LayerNorm", width), call("linear", width, width)
    init = [
        *assign("self.mix_norm", norm),
        *assign("self.value", square),
        *assign("self.mixer", text.mixer),
        *assign("self.project", square),
        *assign("self.norm", norm),
        *assign("self.mlp", text.mlp),
    ]
    doc = (
        "Swin's block: layer norm, value, mixer, projection, then layer norm and MLP, both "
        "residual.\n\n(B, C, H, W) to the same shape."
    )
    body = [
        "x = x + self.project(self.mixer(self.value(self.mix_norm(x))))",
        "return x + self.mlp(self.norm(x))",
    ]
    if text.survey.two_maps:
        body[:1] = [
            "context = self.mix_norm(x)  # what dynamic weights are made from",
            "x = x + self.project(self.mixer(self.value(context), context))",
        ]
    return draft.written(doc, init, method(_FORWARD, *body))


def _write_convnext(draft: Draft, text: BlockText) -> str:
    width = draft.term("width")
    scale = text.survey.architecture.layer_scale
    init = [
        *assign("self.mixer", text.mixer),
        *assign("self.norm", call("LayerNorm", width)),
        *assign("self.mlp", text.mlp),
        *assign("self.scale", f"nn.Parameter(torch.full(({width},), {scale!r}))"),
    ]
    doc = (
        "ConvNeXt's block: mixer, layer norm and MLP with a scale for each channel, residual.\n\n"
        "(B, C, H, W) to the same shape."
    )
    body = (
        "branch = self.mlp(self.norm(self.mixer(x)))",
        "return x + branch * self.scale[:, None, None]",
    )
    return draft.written(doc, init, method(_FORWARD, *body))


_WRITERS: dict[str, Callable[[Draft, BlockText], str]] = {
    "conv": _write_conv,
    "prenorm": _write_prenorm,
    "convnext": _write_convnext,
}
