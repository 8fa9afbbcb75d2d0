"""Weights that a small network makes of a map: dynamic convolutions and MLPs over positions."""

import math

from space.axes import Channels, Locality
from space.geometry import generator_width
from space.layout import Layout, Plan
from space.weight_source import Reads
from trainers.export.standalone.core import Core, Setting, edge
from trainers.export.standalone.draft import Draft, Term, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.static_cores import unfolded
from trainers.export.standalone.text import assign, call
from trainers.export.standalone.windows import shifted, window_mask

GENERATOR = "WeightGenerator"


def core(plan: Plan) -> Core:
    """The class of a mixer whose weights are generated."""
    if plan.layout is Layout.KERNEL:
        if plan.separable:
            return DYNAMIC_LIGHTWEIGHT if plan.mixer.channel_shared else DYNAMIC_DEPTHWISE
        return DYNAMIC_GROUP if plan.mixer.channels is Channels.GROUPED else DYNAMIC_CONV
    if plan.layout is Layout.NEIGHBOURHOOD:
        return INHOMOGENEOUS_DEPTHWISE
    return DYNAMIC_LOCAL_MLP if plan.mixer.locality is Locality.WINDOW else DYNAMIC_SPATIAL_MLP


# --- the generator --------------------------------------------------------------------------------


def _pooled(plan: Plan) -> bool:
    return plan.mixer.dynamics.source.reads is Reads.POOLED


def generator_values(place: Place) -> dict[str, Value]:
    """The arguments of the generator at a place."""
    plan = place.plan
    outputs = math.prod(plan.static_shape) if _pooled(plan) else plan.outputs * plan.taps
    return {
        "width": plan.width,
        "outputs": outputs,
        "hidden": generator_width(plan.mixer, plan.width),
        "bias": not _pooled(plan),
    }


def write_generator(draft: Draft, batch_norm: str) -> str:
    """The class that makes weights of a map."""
    width, hidden = draft.term("width"), draft.term("hidden")
    bias = draft.term("bias")
    doc = (
        "Makes weights of a map (Section 3): 1×1 convolution, batch norm, ReLU, 1×1 convolution. "
        "(B, C, H, W) to (B, outputs, H, W)."
    )
    reduce = call("nn.Conv2d", width, hidden, 1, bias=None if bias.value is True else bias)
    expand = call("nn.Conv2d", hidden, draft.term("outputs"), 1)
    init = [
        *assign("self.reduce", reduce),
        *assign("self.norm", call(batch_norm, hidden)),
        *assign("self.expand", expand),
    ]
    body = "return self.expand(F.relu(self.norm(self.reduce(x))))"
    return draft.written(doc, init, method("forward(self, x: Tensor) -> Tensor", body))


def _generator(draft: Draft, setting: Setting, outputs: Term) -> list[str]:
    return assign("self.weights", setting.made(GENERATOR, draft, outputs=outputs))


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
        "sources": plan.sources.positions,
        "hidden": generator_width(plan.mixer, plan.width),
    }


def _dynamic(name: str, write: object) -> Core:
    return Core(name, _values, write, (GENERATOR, generator_values))  # type: ignore[arg-type]


# --- one kernel for the image ---------------------------------------------------------------------


def _kernels(setting: Setting, shape: str) -> str:
    pooled = f"self.weights({setting.context}.mean((2, 3), keepdim=True))"
    return f"kernels = {pooled}.flatten(1).unflatten(1, {shape})"


_MADE = "with kernels w that are made of the pooled map"


def _write_dynamic_depthwise(draft: Draft, setting: Setting) -> str:
    width, k = draft.term("width"), draft.term("kernel_size")
    taps = draft.own("kernel_size").squared
    doc = (
        f"Dynamic depth-wise convolution (Section 3): y[p, c] = Σ w[q − p, c] · x[q, c] over the "
        f"{edge(k)} neighbours q of p, {_MADE}."
    )
    body = (
        _kernels(setting, f"(-1, 1, {taps})"),
        f"neighbours = {unfolded(draft.own('kernel_size'))}.unflatten(1, (-1, {taps}))",
        "# (B, C, 1, k · k) @ (B, C, k · k, N)",
        "return (kernels @ neighbours).reshape(x.shape)",
    )
    init = _generator(draft, setting, k.squared * width)
    return draft.written(doc, init, method(setting.head, *body))


def _write_dynamic_lightweight(draft: Draft, setting: Setting) -> str:
    heads, k = draft.own("heads"), draft.term("kernel_size")
    taps = draft.own("kernel_size").squared
    doc = (
        "Dynamic depth-wise convolution with one kernel for all channels of a head: y[p, c] = "
        f"Σ w[q − p, head of c] · x[q, c] over the {edge(k)} neighbours q of p, {_MADE}."
    )
    body = (
        _kernels(setting, f"({heads}, {taps})"),
        f"neighbours = {unfolded(draft.own('kernel_size'))}.unflatten(1, ({heads}, -1, {taps}))",
        'return torch.einsum("bht,bhctn->bhcn", kernels, neighbours).reshape(x.shape)',
    )
    init = _generator(draft, setting, k.squared * draft.term("heads"))
    return draft.written(doc, init, method(setting.head, *body))


def _write_dynamic_conv(draft: Draft, setting: Setting) -> str:
    width, k = draft.term("width"), draft.term("kernel_size")
    doc = (
        "Dynamic convolution: y[p, c] = Σ w[q − p, c, c'] · x[q, c'] over the "
        f"{edge(k)} neighbours q of p and all channels c', {_MADE}."
    )
    body = (
        _kernels(setting, f"({draft.own('width')}, -1)"),
        f"neighbours = {unfolded(draft.own('kernel_size'))}",
        "# (B, C, C · k · k) @ (B, C · k · k, N)",
        "return (kernels @ neighbours).reshape(x.shape)",
    )
    init = _generator(draft, setting, Term(f"{k.squared} * {width} * {width}"))
    return draft.written(doc, init, method(setting.head, *body))


def _write_dynamic_group(draft: Draft, setting: Setting) -> str:
    width, k = draft.term("width"), draft.term("kernel_size")
    groups, own = draft.term("groups"), draft.own("groups")
    doc = (
        "Dynamic group convolution: y[p, c] = Σ w[q − p, c, c'] · x[q, c'] over the "
        f"{edge(k)} neighbours q of p and the channels c' of c's group, {_MADE}."
    )
    body = (
        _kernels(setting, f"({own}, {draft.own('width')} // {own}, -1)"),
        f"neighbours = {unfolded(draft.own('kernel_size'))}.unflatten(1, ({own}, -1))",
        "# (B, groups, C / groups, C / groups · k · k) @ (B, groups, C / groups · k · k, N)",
        "return (kernels @ neighbours).reshape(x.shape)",
    )
    init = _generator(draft, setting, Term(f"{k.squared} * {width} * {width} // {groups}"))
    return draft.written(doc, init, method(setting.head, *body))


DYNAMIC_DEPTHWISE = _dynamic("DynamicDepthwiseConv", _write_dynamic_depthwise)
DYNAMIC_LIGHTWEIGHT = _dynamic("DynamicLightweightConv", _write_dynamic_lightweight)
DYNAMIC_CONV = _dynamic("DynamicConv", _write_dynamic_conv)
DYNAMIC_GROUP = _dynamic("DynamicGroupConv", _write_dynamic_group)


# --- weights of their own at each position --------------------------------------------------------


def _set(draft: Draft) -> str:
    return "c" if draft.term("heads").text == "width" else "group of c"


def _write_inhomogeneous(draft: Draft, setting: Setting) -> str:
    heads, k = draft.own("heads"), draft.term("kernel_size")
    taps = draft.own("kernel_size").squared
    doc = (
        "Inhomogeneous dynamic depth-wise convolution (Figure 1: Dynamic Local-S MLP): y[p, c] = "
        f"Σ w[p, q − p, {_set(draft)}] · x[q, c] over the {edge(k)} neighbours q of p, with "
        "weights w[p] that are made of the token at p."
    )
    made = f"self.weights({setting.context}).flatten(2)"
    body = (
        f"weights = {made}.unflatten(1, ({heads}, 1, {taps}))",
        f"neighbours = {unfolded(draft.own('kernel_size'))}.unflatten(1, ({heads}, -1, {taps}))",
        "# (B, groups, 1, k · k, N) times (B, groups, C / groups, k · k, N)",
        "return (weights * neighbours).sum(3).reshape(x.shape)",
    )
    init = _generator(draft, setting, k.squared * draft.term("heads"))
    return draft.written(doc, init, method(setting.head, *body))


def _write_dynamic_spatial(draft: Draft, setting: Setting) -> str:
    heads, sources = draft.own("heads"), draft.term("sources")
    doc = (
        f"Dynamic spatial-mixing MLP: y[p, c] = Σ w[p, q, {_set(draft)}] · x[q, c] over all "
        "positions q, with weights w[p] that are made of the token at p."
    )
    made = f"self.weights({setting.context}).flatten(2)"
    body = (
        f"weights = {made}.unflatten(1, ({heads}, -1))",
        f"groups = x.flatten(2).unflatten(1, ({heads}, -1))",
        "# (B, groups, C / groups, Q) @ (B, groups, Q, P)",
        f"return (groups @ weights).reshape({setting.context}.shape)",
    )
    init = _generator(draft, setting, sources * draft.term("heads"))
    return draft.written(doc, init, method(setting.head, *body))


INHOMOGENEOUS_DEPTHWISE = _dynamic("InhomogeneousDepthwiseConv", _write_inhomogeneous)
DYNAMIC_SPATIAL_MLP = _dynamic("DynamicSpatialMLP", _write_dynamic_spatial)


# --- in windows -----------------------------------------------------------------------------------


def _window_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "heads": plan.outputs,
        "window": plan.target_tile[0],
        "size": (plan.targets.height, plan.targets.width),
        "shift": place.shift,
        "hidden": generator_width(plan.mixer, plan.width),
    }


def _write_dynamic_local(draft: Draft, setting: Setting) -> str:
    heads, window = draft.own("heads"), draft.own("window")
    moved = shifted(draft.own("shift"))
    doc = (
        f"Dynamic local MLP: y[p, c] = Σ w[p, q, {_set(draft)}] · x[q, c] over the positions q of "
        f"p's {edge(draft.term('window'))} window, with weights w[p] that are made of the token "
        "at p."
    )
    init = _generator(draft, setting, draft.term("window").squared * draft.term("heads"))
    body = [
        f"weights = split_windows(self.weights({setting.context}), {window}{moved})",
        f"weights = weights.unflatten(3, ({heads}, -1))  # (B, T, P, groups, Q)",
        f"windows = split_windows(x, {window}{moved}).unflatten(3, ({heads}, -1))",
        'y = torch.einsum("btphq,btqhc->btphc", weights, windows).flatten(3)',
        f"return join_windows(y, x.shape[2:], {window}{moved})",
    ]
    if moved:
        init += window_mask(draft)
        body.insert(2, "weights = weights.masked_fill(self.apart[:, :, None], 0)")
    return draft.written(doc, init, method(setting.head, *body))


DYNAMIC_LOCAL_MLP = Core(
    "DynamicLocalMLP", _window_values, _write_dynamic_local, (GENERATOR, generator_values)
)
