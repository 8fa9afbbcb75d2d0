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
from trainers.export.standalone.draft import Draft, Value
from trainers.export.standalone.kernels import unfolded
from trainers.export.standalone.places import Place
from trainers.export.standalone.weights import (
    attention,
    compared,
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


def _summed(draft: Draft, weights: str) -> tuple[str, ...]:
    """Statements that weigh and sum neighbours, of all channels of a head or group alike."""
    heads, size = draft.own("heads"), draft.own("kernel_size")
    return (
        f"near = neighbour_maps(x.unflatten(1, ({heads}, -1)), {size})",
        f"y = sum({weights} * each for tap, each in enumerate(near))",
        "return y.flatten(1, 2)",
    )


def _write_depthwise(draft: Draft, setting: Setting) -> str:
    taps = draft.term("kernel_size").squared
    k = edge(draft.term("kernel_size"))
    summary = f"A depth-wise kernel for every position p, over its {k} neighbours q."
    doc = described(summary, f"y[p, c] = Σ w[p, q, {set_of(draft)}] · x[q, c]")
    init = free_weights(draft.term("heads"), taps, draft.term("positions"), fan_in=taps)
    body = (
        "kernels = self.weights.weight.unflatten(2, x.shape[2:])  # (heads, k · k, H, W)",
        *_summed(draft, "kernels[:, tap, None]"),
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
        f"near = {unfolded(size)}  # (B, C · k · k, N)",
        'y = torch.einsum("bin,oin->bon", near, self.weights.weight)',
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
        f"near = {unfolded(size)}.unflatten(1, ({groups}, -1))",
        f"kernels = self.weights.weight.unflatten(0, ({groups}, -1))",
        'y = torch.einsum("bgin,goin->bgon", near, kernels)',
        "return y.reshape(x.shape)",
    )
    return draft.written(doc, init, setting.forward(*body))


_DEPTHWISE = Core("LocallyConnectedDepthwise", _values, _write_depthwise)
_DENSE = Core("LocallyConnected", _values, _write_dense)
_GROUPED = Core("LocallyConnectedGroups", _values, _write_grouped)


# --- generated ------------------------------------------------------------------------------------


def _write_inhomogeneous(draft: Draft, setting: Setting) -> str:
    k = draft.term("kernel_size")
    summary = f"Inhomogeneous dynamic depth-wise convolution over the {edge(k)} neighbours q of p."
    formula = f"y[p, c] = Σ w[p, q − p, {set_of(draft, 'group')}] · x[q, c]"
    made = "The kernel w[p] is made of the token at p (Figure 1: Dynamic Local-S MLP)."
    doc = f"{described(summary, formula)}\n\n{made}"
    shape = f"({draft.own('heads')}, {draft.own('kernel_size').squared})"
    body = (
        f"kernels = self.weights({setting.context}).unflatten(1, {shape})",
        *_summed(draft, "kernels[:, :, tap, None]"),
    )
    init = generated_weights(draft, setting, k.squared * draft.term("heads"))
    return draft.written(doc, init, setting.forward(*body))


_INHOMOGENEOUS = generated("InhomogeneousDepthwiseConv", _write_inhomogeneous)


# --- attention ------------------------------------------------------------------------------------


def _write_attention(draft: Draft, setting: Setting, biased: bool) -> str:
    heads, k, size = draft.own("heads"), draft.term("kernel_size"), draft.own("kernel_size")
    bias = " + bias[q − p]" if biased else ""
    summary = f"Neighbourhood attention over the {edge(k)} neighbours q of p."
    formula = f"y[p] = Σ softmax(query[p] · key[q] / √d{bias}) · x[q], for heads of d channels"
    doc = described(summary, formula)
    init = query_and_key(draft, setting)
    if biased:
        init += position_table(k.squared, draft.term("heads"), "q − p")
    query, key = (line.removesuffix(")") for line in compared(setting))
    shape = f"({heads}, -1)"
    body = (
        f"{query}).unflatten(1, {shape})  # (B, heads, d, H, W)",
        f"{key}).unflatten(1, {shape})",
        f"near = neighbour_maps(key, {size})",
        "logits = torch.stack([(query * each).sum(2) for each in near], 2)",
        "logits = logits * query.shape[2] ** -0.5  # (B, heads, k · k, H, W)",
        *(["logits = logits + self.weights.position_bias.T[:, :, None, None]"] if biased else []),
        f"inside = neighbour_maps(x.new_ones(1, 1, x.shape[2], x.shape[3]), {size})",
        'logits = logits.masked_fill(torch.cat(inside, 1) == 0, float("-inf"))',
        "weights = logits.softmax(2)",
        *_summed(draft, "weights[:, :, tap, None]"),
    )
    return draft.written(doc, init, setting.forward(*body))


def _write_plain_attention(draft: Draft, setting: Setting) -> str:
    return _write_attention(draft, setting, biased=False)


def _write_biased_attention(draft: Draft, setting: Setting) -> str:
    return _write_attention(draft, setting, biased=True)


_ATTENTION = attention("NeighbourhoodAttention", _write_plain_attention)
_BIASED_ATTENTION = attention("BiasedNeighbourhoodAttention", _write_biased_attention)
