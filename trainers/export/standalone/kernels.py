"""Weights that are shared across positions: convolutions, static and dynamic."""

from space.axes import Channels
from space.layout import Plan
from trainers.export.standalone.core import (
    Core,
    Setting,
    described,
    edge,
    read_channels,
    set_of,
    short_kernel,
)
from trainers.export.standalone.draft import Draft, Term, Value
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import assign, call
from trainers.export.standalone.weights import free_weights, generated, generated_weights


def core(plan: Plan) -> Core:
    """The class of a mixer that is shared across positions."""
    if plan.separable:
        pair = _PER_HEAD if plan.mixer.channel_shared else _DEPTHWISE
    else:
        pair = _GROUPED if plan.mixer.channels is Channels.GROUPED else _DENSE
    return pair[plan.mixer.dynamics.source.dynamic]


def padding(kernel_size: Term) -> Term | None:
    """Zeros around the map; none for kernels of one position."""
    half = kernel_size // 2
    return None if half.value == 0 else half


NEIGHBOURS = '''def neighbour_maps(x: Tensor, kernel_size: int) -> list[Tensor]:
    """Each of the k · k neighbours of all positions: maps like x (…, H, W), zeros outside of it."""
    (height, width), half, edge = x.shape[-2:], kernel_size // 2, range(kernel_size)
    x = F.pad(x, (half, half, half, half))
    return [x[..., i : i + height, j : j + width] for i in edge for j in edge]'''


def unfolded(kernel_size: Term, x: str = "x") -> str:
    """The neighbourhoods of a map, (B, C · k · k, N)."""
    return str(call("F.unfold", x, kernel_size, padding=padding(kernel_size)))


# --- static ---------------------------------------------------------------------------------------


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
    }


def _layer(draft: Draft, setting: Setting, doc: str, groups: Term | None) -> str:
    width, k = draft.term("width"), draft.term("kernel_size")
    more = {"padding": padding(k), "groups": groups, "bias": False}
    init = assign("self.weights", call("nn.Conv2d", width, width, k, **more))
    return draft.written(doc, init, setting.forward("return self.weights(x)"))


def _write_depthwise(draft: Draft, setting: Setting) -> str:
    k = edge(draft.term("kernel_size"))
    summary = f"Depth-wise convolution over the {k} neighbours q of p (Figure 1: DW-S Conv.)."
    doc = described(summary, "y[p, c] = Σ w[q − p, c] · x[q, c]")
    return _layer(draft, setting, doc, draft.term("width"))


def _write_conv(draft: Draft, setting: Setting) -> str:
    k = edge(draft.term("kernel_size"))
    summary = f"Convolution over the {k} neighbours q of p and all channels (Figure 1: Conv.)."
    doc = described(summary, "y[p, c] = Σ w[q − p, c, c'] · x[q, c']")
    return _layer(draft, setting, doc, None)


def _write_group(draft: Draft, setting: Setting) -> str:
    k = edge(draft.term("kernel_size"))
    summary = f"Group convolution over the {k} neighbours q of p and the channels of c's group."
    doc = described(summary, "y[p, c] = Σ w[q − p, c, c'] · x[q, c']")
    return _layer(draft, setting, doc, draft.term("groups"))


def _write_lightweight(draft: Draft, setting: Setting) -> str:
    heads, k = draft.term("heads"), draft.term("kernel_size")
    width, own = draft.own("width"), draft.own("heads")
    doc = described(
        f"Depth-wise convolution over the {edge(k)} neighbours q of p, one kernel a head.",
        "y[p, c] = Σ w[q − p, head(c)] · x[q, c]",
    )
    size, named = short_kernel(draft)
    more = {"padding": padding(size), "groups": width}
    body = (
        *named,
        f"kernels = self.weights.weight.repeat_interleave({width} // {own}, 0)",
        f"return {call('F.conv2d', 'x', 'kernels', **more)}",
    )
    init = free_weights(heads, 1, k, k, fan_in=k.squared)
    return draft.written(doc, init, setting.forward(*body))


# --- dynamic --------------------------------------------------------------------------------------

_POOLED = "\n\nThe kernels w are made of the mean over the map."


def _kernels(draft: Draft, setting: Setting, shape: str) -> tuple[str, str]:
    """Statements that make kernels (B, …, 1, 1) of the pooled map."""
    return (
        f"pooled = {setting.context}.mean((2, 3), keepdim=True)",
        f"kernels = self.weights(pooled).unflatten(1, {shape})",
    )


def _write_dynamic_depthwise(draft: Draft, setting: Setting) -> str:
    k, size = draft.term("kernel_size"), draft.own("kernel_size")
    summary = f"Dynamic depth-wise convolution over the {edge(k)} neighbours q of p (Section 3)."
    doc = described(summary, "y[p, c] = Σ w[q − p, c] · x[q, c]") + _POOLED
    body = (
        *_kernels(draft, setting, f"(-1, {size.squared})"),
        f"near = neighbour_maps(x, {size})",
        "return sum(kernels[:, :, tap] * each for tap, each in enumerate(near))",
    )
    init = generated_weights(draft, setting, k.squared * draft.term("width"))
    return draft.written(doc, init, setting.forward(*body))


def _write_dynamic_lightweight(draft: Draft, setting: Setting) -> str:
    heads, k, size = draft.own("heads"), draft.term("kernel_size"), draft.own("kernel_size")
    summary = (
        f"Dynamic depth-wise convolution over the {edge(k)} neighbours q of p, one kernel a head."
    )
    doc = described(summary, f"y[p, c] = Σ w[q − p, {set_of(draft)}] · x[q, c]") + _POOLED
    body = (
        *_kernels(draft, setting, f"({heads}, {size.squared})"),
        f"near = neighbour_maps(x.unflatten(1, ({heads}, -1)), {size})",
        "y = sum(kernels[:, :, tap, None] * each for tap, each in enumerate(near))",
        "return y.flatten(1, 2)",
    )
    init = generated_weights(draft, setting, k.squared * draft.term("heads"))
    return draft.written(doc, init, setting.forward(*body))


def _write_dynamic_conv(draft: Draft, setting: Setting) -> str:
    k, width = draft.term("kernel_size"), draft.term("width")
    size, named = short_kernel(draft)
    summary = f"Dynamic convolution over the {edge(k)} neighbours q of p and all channels."
    doc = described(summary, "y[p, c] = Σ w[q − p, c, c'] · x[q, c']") + _POOLED
    body = (
        *named,
        *_kernels(draft, setting, f"({draft.own('width')}, -1)"),
        f"near = {unfolded(size)}",
        "# (B, C, C · k · k) by (B, C · k · k, N)",
        "return (kernels.flatten(2) @ near).reshape(x.shape)",
    )
    init = generated_weights(draft, setting, Term(f"{k.squared} * {width} * {width}"))
    return draft.written(doc, init, setting.forward(*body))


def _write_dynamic_group(draft: Draft, setting: Setting) -> str:
    k, width, groups = draft.term("kernel_size"), draft.term("width"), draft.own("groups")
    size, named = short_kernel(draft)
    summary = f"Dynamic group convolution over the {edge(k)} neighbours q of p and c's group."
    doc = described(summary, "y[p, c] = Σ w[q − p, c, c'] · x[q, c']") + _POOLED
    body = (
        *named,
        *_kernels(draft, setting, f"({draft.own('width')}, -1)"),
        f"kernels = kernels.flatten(2).unflatten(1, ({groups}, -1))",
        f"near = {unfolded(size)}.unflatten(1, ({groups}, -1))",
        "# (B, groups, C / groups, C / groups · k · k) by (B, groups, C / groups · k · k, N)",
        "return (kernels @ near).reshape(x.shape)",
    )
    outputs = Term(f"{k.squared} * {width} * ({read_channels(draft)})")
    init = generated_weights(draft, setting, outputs)
    return draft.written(doc, init, setting.forward(*body))


# --- by channels, each static and dynamic ---------------------------------------------------------

_DEPTHWISE = (
    Core("DepthwiseConv", _values, _write_depthwise),
    generated("DynamicDepthwiseConv", _write_dynamic_depthwise),
)
_PER_HEAD = (
    Core("LightweightConv", _values, _write_lightweight),
    generated("DynamicLightweightConv", _write_dynamic_lightweight),
)
_DENSE = (
    Core("Conv", _values, _write_conv),
    generated("DynamicConv", _write_dynamic_conv),
)
_GROUPED = (
    Core("GroupConv", _values, _write_group),
    generated("DynamicGroupConv", _write_dynamic_group),
)
