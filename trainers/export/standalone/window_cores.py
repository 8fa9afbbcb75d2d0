"""Weights between the positions of a window: local MLPs and local attention."""

from space.axes import Channels
from space.geometry import generator_width
from space.layout import Plan
from space.weight_source import Reads
from trainers.export.standalone.core import (
    Core,
    Setting,
    described,
    edge,
    read_channels,
    set_of,
)
from trainers.export.standalone.draft import Draft, Value, method
from trainers.export.standalone.places import Place
from trainers.export.standalone.text import assign
from trainers.export.standalone.weights import (
    attention,
    compared,
    free_weights,
    generated,
    generated_weights,
    position_table,
    query_and_key,
)
from trainers.export.standalone.windows import shifted, window_mask


def core(plan: Plan) -> Core:
    """The class of a mixer in windows."""
    reads = plan.mixer.dynamics.source.reads
    if reads is Reads.PAIR:
        return _ATTENTION if plan.mixer.position_bias else _UNBIASED_ATTENTION
    if reads is Reads.TARGET:
        return _DYNAMIC
    if plan.separable:
        return _LOCAL
    return _GROUPED if plan.mixer.channels is Channels.GROUPED else _DENSE


# --- static ---------------------------------------------------------------------------------------


def _values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "groups": plan.groups,
        "heads": plan.outputs,
        "window": plan.target_tile[0],
        "pad": place.window_padding,
    }


def _in_windows(draft: Draft, *mixed: str) -> list[str]:
    """Statements from the map to `windows` (B, T, P, C), what is `mixed` of them, and back."""
    window, pad = draft.own("window"), draft.own("pad")
    if pad.value == (0, 0, 0, 0):
        back = f"return join_windows(y, x.shape[2:], {window})"
        return [f"windows = split_windows(x, {window})", *mixed, back]
    left, top = (pad.value[0], pad.value[2]) if isinstance(pad.value, tuple) else ("left", "top")
    return [
        f"padded = F.pad(x, {pad})",
        f"windows = split_windows(padded, {window})",
        *mixed,
        f"y = join_windows(y, padded.shape[2:], {window})",
        *([] if pad.value else ["left, _, top, _ = self.pad"]),
        f"return y[:, :, {_cut('x.shape[2]', top)}, {_cut('x.shape[3]', left)}]",
    ]


def _cut(extent: str, start: object) -> str:
    return f": {extent}" if start == 0 else f"{start} : {start} + {extent}"


def _moved(draft: Draft) -> str:
    """What is said of arguments that move the windows."""
    varies = draft.uses.term("pad").value is None
    return "\n\nThe zeros around the map, `pad`, move its windows." if varies else ""


def _write_local(draft: Draft, setting: Setting) -> str:
    window = draft.term("window")
    summary = f"Local MLP over the positions q of p's {edge(window)} window (Table 1)."
    doc = described(summary, f"y[p, c] = Σ w[p, q, {set_of(draft)}] · x[q, c]") + _moved(draft)
    taps = window.squared
    body = _in_windows(
        draft,
        f"heads = windows.unflatten(3, ({draft.own('heads')}, -1))",
        'y = torch.einsum("btqhc,hpq->btphc", heads, self.weights.weight).flatten(3)',
    )
    init = free_weights(draft.term("heads"), taps, taps, fan_in=taps)
    return draft.written(doc, init, setting.forward(*body))


def _write_dense(draft: Draft, setting: Setting) -> str:
    width, window = draft.term("width"), draft.term("window")
    summary = f"MLP over the positions q of p's {edge(window)} window and all channels at once."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']") + _moved(draft)
    body = _in_windows(
        draft,
        "rows = windows.transpose(2, 3).flatten(2)  # (B, T, C · P)",
        "y = F.linear(rows, self.weights.weight.flatten(0, 1))",
        f"y = y.unflatten(2, (-1, {draft.own('window').squared})).transpose(2, 3)",
    )
    read = window.squared * width
    init = free_weights(width, window.squared, read, fan_in=read)
    return draft.written(doc, init, setting.forward(*body))


def _write_grouped(draft: Draft, setting: Setting) -> str:
    window, groups = draft.term("window"), draft.own("groups")
    summary = f"MLP over the positions q of p's {edge(window)} window and c's group at once."
    doc = described(summary, "y[p, c] = Σ w[p, q, c, c'] · x[q, c']") + _moved(draft)
    body = _in_windows(
        draft,
        f"rows = windows.transpose(2, 3).unflatten(2, ({groups}, -1)).flatten(3)",
        f"matrices = self.weights.weight.unflatten(0, ({groups}, -1)).flatten(1, 2)",
        'y = torch.einsum("btgi,goi->btgo", rows, matrices).flatten(2)',
        f"y = y.unflatten(2, (-1, {draft.own('window').squared})).transpose(2, 3)",
    )
    read = f"{window.squared} * ({read_channels(draft)})"
    init = free_weights(draft.term("width"), window.squared, read, fan_in=read)
    return draft.written(doc, init, setting.forward(*body))


_LOCAL = Core("LocalMLP", _values, _write_local)
_DENSE = Core("LocalDenseMLP", _values, _write_dense)
_GROUPED = Core("LocalGroupedMLP", _values, _write_grouped)


# --- generated ------------------------------------------------------------------------------------


def _rolling_values(place: Place) -> dict[str, Value]:
    plan = place.plan
    return {
        "width": plan.width,
        "heads": plan.outputs,
        "window": plan.target_tile[0],
        "size": (plan.targets.height, plan.targets.width),
        "shift": place.shift,
        "apart": any(place.window_padding) or any(plan.tile_offset),
    }


def _generated_values(place: Place) -> dict[str, Value]:
    hidden = generator_width(place.mixer, place.plan.width)
    return _rolling_values(place) | {"generator_width": hidden, "generator_bias": True}


def _write_dynamic(draft: Draft, setting: Setting) -> str:
    heads, window, moved = draft.own("heads"), draft.own("window"), shifted(draft.own("shift"))
    taps = draft.term("window").squared
    summary = f"Dynamic local MLP over the positions q of p's {edge(draft.term('window'))} window."
    doc = described(summary, f"y[p, c] = Σ w[p, q, {set_of(draft, 'group')}] · x[q, c]")
    init = generated_weights(draft, setting, taps * draft.term("heads"))
    body = [
        f"weights = split_windows(self.weights({setting.context}), {window}{moved})",
        f"weights = weights.unflatten(3, ({heads}, -1))  # (B, T, P, groups, Q)",
        f"windows = split_windows(x, {window}{moved}).unflatten(3, ({heads}, -1))",
        'y = torch.einsum("btphq,btqhc->btphc", weights, windows).flatten(3)',
        f"return join_windows(y, x.shape[2:], {window}{moved})",
    ]
    if moved:  # what lies outside of the map is zero, and needs no mask
        init += window_mask(draft)
        body.insert(2, "weights = weights.masked_fill(self.apart[:, :, None], 0)")
    made = "\n\nThe weights w[p] are made of the token at p."
    return draft.written(doc + made, init, setting.forward(*body))


_DYNAMIC = generated("DynamicLocalMLP", _write_dynamic, _generated_values)


# --- attention ------------------------------------------------------------------------------------


def _attention_values(place: Place) -> dict[str, Value]:
    return _rolling_values(place) | {"query_key_bias": bool(place.mixer.query_key_bias)}


def _write_attention(draft: Draft, setting: Setting) -> str:
    init = [*query_and_key(draft, setting), *_position_table(draft)]
    masked = draft.uses.any("apart")
    heads = draft.own("heads")
    each = 'bias.masked_fill(self.apart[:, None], float("-inf")).flatten(0, 1)'
    same = f"bias.repeat(query.shape[1] // {heads}, 1, 1)"
    summed = (
        "bias = self.weights.position_bias[self.index].permute(2, 0, 1)  # (heads, P, P)",
        f"bias = {each if masked else same}",
        "y = F.scaled_dot_product_attention(query, key, value, bias)",
    )
    doc = _attention_doc(draft, " + bias[p − q]")
    return draft.written(doc, [*init, *_mask(draft)], _attention_methods(draft, setting, *summed))


def _write_unbiased_attention(draft: Draft, setting: Setting) -> str:
    summed = ["y = F.scaled_dot_product_attention(query, key, value)"]
    if draft.uses.any("apart"):
        reads = f"~self.apart.repeat_interleave({draft.own('heads')}, 0)"
        summed = [
            f"reads = {reads}  # (T · heads, P, P)",
            "y = F.scaled_dot_product_attention(query, key, value, reads)",
        ]
    init = [*query_and_key(draft, setting), *_mask(draft)]
    doc = _attention_doc(draft, "")
    return draft.written(doc, init, _attention_methods(draft, setting, *summed))


def _attention_doc(draft: Draft, bias: str) -> str:
    window = edge(draft.term("window"))
    summary = f"Local attention over the positions q of p's {window} window (Figure 1: Local ViT)."
    formula = f"y[p] = Σ softmax(query[p] · key[q] / √d{bias}) · x[q]"
    return described(summary, f"{formula}, for heads of d channels")


def _mask(draft: Draft) -> list[str]:
    return window_mask(draft) if draft.uses.any("apart") else []


def _position_table(draft: Draft) -> list[str]:
    window = draft.term("window")
    known = window.value if type(window.value) is int else None
    entries: object = "(2 * window - 1) ** 2" if known is None else (2 * known - 1) ** 2
    return [
        *position_table(entries, draft.term("heads"), "p − q"),
        *assign("index", f"relative_positions({window})"),
        f'{" " * 8}self.register_buffer("index", index, persistent=False)',
    ]


def _attention_methods(draft: Draft, setting: Setting, *summed: str) -> list[str]:
    heads, window, moved = draft.own("heads"), draft.own("window"), shifted(draft.own("shift"))
    body = (
        *compared(setting),
        "query, key, value = (self._heads(each) for each in (query, key, x))",
        *summed,
        f"y = y.unflatten(1, (-1, {heads})).transpose(2, 3).flatten(3)  # (B, T, P, C)",
        f"return join_windows(y, x.shape[2:], {window}{moved})",
    )
    split = method(
        "_heads(self, x: Tensor) -> Tensor",
        f"windows = split_windows(x, {window}{moved}).unflatten(3, ({heads}, -1))",
        "return windows.transpose(2, 3).flatten(1, 2)",
        doc="(B, C, H, W) to (B, T · heads, P, d).",
    )
    return [*setting.forward(*body), "", *split]


_ATTENTION = attention("WindowAttention", _write_attention, _attention_values)
_UNBIASED_ATTENTION = attention(
    "UnbiasedWindowAttention", _write_unbiased_attention, _attention_values
)
