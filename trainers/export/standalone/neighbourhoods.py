"""Weights of their own at every position, over its neighbourhood."""

from space.axes import Channels
from space.layout import Plan
from space.weight_source import Reads
from trainers.export.standalone.core import (
    Core,
    Setting,
    described,
    edge,
    read_channels,
    set_of,
    short_kernel,
)
from trainers.export.standalone.draft import Draft, Value, method
from trainers.export.standalone.kernels import unfolded
from trainers.export.standalone.places import Place
from trainers.export.standalone.weights import (
    attention,
    free_weights,
    generated,
    generated_weights,
    position_table,
    query_and_key,
)


def core(plan: Plan) -> Core:
    """The class of a sliding mixer that is not shared across positions."""
    reads = plan.mixer.dynamics.source.reads
    if reads is Reads.PAIR:
        return _BIASED_ATTENTION if plan.mixer.position_bias else _ATTENTION
    if reads is Reads.TARGET:
        return _INHOMOGENEOUS
    if plan.separable:
        return _DEPTHWISE
    return _GROUPED if plan.mixer.channels is Channels.GROUPED else _DENSE


# --- static ---------------------------------------------------------------------------------------


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "kernel_size": plan.kernel_size,
        "positions": plan.targets.positions,
    }


def _write_depthwise(draft: Draft, setting: Setting) -> str:
    heads, k = draft.own("heads"), draft.term("kernel_size")
    size, named = short_kernel(draft)
    summary = f"A depth-wise kernel for every position p, over its {edge(k)} neighbours q."
    doc = described(summary, f"y[p, c] = Σ w[p, q, {set_of(draft)}] · x[q, c]")
    taps = k.squared
    init = free_weights(draft.term("heads"), taps, draft.term("positions"), fan_in=taps)
    body = (
        *named,
        f"neighbours = {unfolded(size)}.unflatten(1, ({heads}, -1, {size.squared}))",
        "# (B, heads, C / heads, k · k, N) times (heads, 1, k · k, N)",
        "return (neighbours * self.weights.weight.unsqueeze(1)).sum(3).reshape(x.shape)",
    )
    return draft.written(doc, init, setting.forward(*body))


def _write_dense(draft: Draft, setting: Setting) -> str:
    width, k = draft.term("width"), draft.term("kernel_size")
    size, named = short_kernel(draft)
    summary = f"A kernel for every position p, over its {edge(k)} neighbours q and all channels."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']")
    read = k.squared * width
    init = free_weights(width, read, draft.term("positions"), fan_in=read)
    body = (
        *named,
        f"neighbours = {unfolded(size)}  # (B, C · k · k, N)",
        'y = torch.einsum("bin,oin->bon", neighbours, self.weights.weight)',
        "return y.reshape(x.shape)",
    )
    return draft.written(doc, init, setting.forward(*body))


def _write_grouped(draft: Draft, setting: Setting) -> str:
    groups, k = draft.own("groups"), draft.term("kernel_size")
    size, named = short_kernel(draft)
    summary = f"A kernel for every position p, over its {edge(k)} neighbours q and c's group."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']")
    read = f"{k.squared} * ({read_channels(draft)})"
    init = free_weights(draft.term("width"), read, draft.term("positions"), fan_in=read)
    body = (
        *named,
        f"neighbours = {unfolded(size)}.unflatten(1, ({groups}, -1))",
        f"kernels = self.weights.weight.unflatten(0, ({groups}, -1))",
        'y = torch.einsum("bgin,goin->bgon", neighbours, kernels)',
        "return y.reshape(x.shape)",
    )
    return draft.written(doc, init, setting.forward(*body))


_DEPTHWISE = Core("LocallyConnectedDepthwise", _values, _write_depthwise)
_DENSE = Core("LocallyConnected", _values, _write_dense)
_GROUPED = Core("LocallyConnectedGroups", _values, _write_grouped)


# --- generated ------------------------------------------------------------------------------------


def _write_inhomogeneous(draft: Draft, setting: Setting) -> str:
    heads, k = draft.own("heads"), draft.term("kernel_size")
    size, named = short_kernel(draft)
    summary = f"Inhomogeneous dynamic depth-wise convolution over the {edge(k)} neighbours q of p."
    formula = f"y[p, c] = Σ w[p, q − p, {set_of(draft, 'group')}] · x[q, c]"
    made = "The kernel w[p] is made of the token at p (Figure 1: Dynamic Local-S MLP)."
    doc = f"{described(summary, formula)}\n\n{made}"
    body = (
        *named,
        f"kernels = self.weights({setting.context}).flatten(2)",
        f"kernels = kernels.unflatten(1, ({heads}, 1, {size.squared}))",
        f"neighbours = {unfolded(size)}.unflatten(1, ({heads}, -1, {size.squared}))",
        "# (B, groups, 1, k · k, N) times (B, groups, C / groups, k · k, N)",
        "return (kernels * neighbours).sum(3).reshape(x.shape)",
    )
    init = generated_weights(draft, setting, k.squared * draft.term("heads"))
    return draft.written(doc, init, setting.forward(*body))


_INHOMOGENEOUS = generated("InhomogeneousDepthwiseConv", _write_inhomogeneous)


# --- attention ------------------------------------------------------------------------------------


def _write_attention(draft: Draft, setting: Setting, biased: bool) -> str:
    heads, k = draft.own("heads"), draft.term("kernel_size")
    size, named = short_kernel(draft)
    bias = " + bias[q − p]" if biased else ""
    summary = f"Neighbourhood attention over the {edge(k)} neighbours q of p."
    formula = f"y[p] = Σ softmax(query[p] · key[q] / √d{bias}) · x[q], for heads of d channels"
    doc = described(summary, formula)
    init = query_and_key(draft, setting)
    if biased:
        init += position_table(k.squared, draft.term("heads"), "q − p")
    query = f"self.weights.query({setting.context}).flatten(2)"
    body = (
        *named,
        f"query = {query}.unflatten(1, ({heads}, -1, 1))",
        f"key = self._neighbours(self.weights.key({setting.sources}))",
        "logits = (query * key).sum(2) * query.shape[2] ** -0.5  # (B, heads, k · k, N)",
        *(["logits = logits + self.weights.position_bias.T[:, :, None]"] if biased else []),
        "inside = x.new_ones(1, 1, x.shape[2], x.shape[3])",
        f"outside = {unfolded(size, 'inside')} == 0  # (1, k · k, N)",
        'weights = logits.masked_fill(outside, float("-inf")).softmax(2).unsqueeze(2)',
        "return (weights * self._neighbours(x)).sum(3).reshape(x.shape)",
    )
    neighbours = method(
        "_neighbours(self, x: Tensor) -> Tensor",
        *named,
        f"return {unfolded(size)}.unflatten(1, ({heads}, -1, {size.squared}))",
        doc="(B, C, H, W) to (B, heads, d, k · k, N), zeros outside of the map.",
    )
    return draft.written(doc, init, [*setting.forward(*body), "", *neighbours])


def _write_plain_attention(draft: Draft, setting: Setting) -> str:
    return _write_attention(draft, setting, biased=False)


def _write_biased_attention(draft: Draft, setting: Setting) -> str:
    return _write_attention(draft, setting, biased=True)


_ATTENTION = attention("NeighbourhoodAttention", _write_plain_attention)
_BIASED_ATTENTION = attention("BiasedNeighbourhoodAttention", _write_biased_attention)
