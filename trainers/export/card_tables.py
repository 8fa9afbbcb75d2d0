"""Tables of a model card about the architecture alone: stages, token mixers, what it costs."""

from collections.abc import Iterable, Sequence

from space import Architecture, Mixer, cost
from space.axes import AXES, Locality, Rank
from space.cost import memory
from space.errors import InputError
from space.geometry import MapSize
from space.structure.table_1 import computed_row

_MAP, _WIDTH = MapSize(4, 5), 8
_SMALL = {"kernel_size": 3, "groups": 2, "heads": 2, "generator_ratio": 1}
"""Sizes of the mixer off whose W the row of Table 1 is read: the smallest that show it."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def stages_table(architecture: Architecture) -> str:
    """Its stages, from the stem to the head."""
    rows = [
        (
            number,
            f"{size.height}×{size.width}",
            stage.depth,
            stage.width,
            f"{stage.mlp_ratio:g}",
            ", ".join(mixer.label for mixer in stage.mixers),
        )
        for number, (stage, size) in enumerate(
            zip(architecture.stages, architecture.stage_sizes(), strict=True), 1
        )
    ]
    return table(("stage", "map", "blocks", "width", "MLP ratio", "token mixers"), rows)


def mixers_table(architecture: Architecture) -> str:
    """The kinds of its token mixers on the five axes, each with its row of the paper's Table 1."""
    kinds = {mixer.name: mixer for mixer in architecture.mixers()}
    sparse = ("sparse: positions", "sparse: channels", "shared: positions", "shared: channels")
    columns = ("token mixer", *AXES, *sparse, "dynamic")
    return table(columns, (_mixer_row(name, mixer) for name, mixer in kinds.items()))


def _mixer_row(name: str, mixer: Mixer) -> tuple[object, ...]:
    words = ["not declared" if value is None else value for value in _axes(mixer)]
    if mixer.is_custom or mixer.rank is not Rank.FULL:
        return name, *words, *["–"] * 5
    sizes = {n: min(size, own) for n, size in _SMALL.items() if (own := getattr(mixer, n))}
    if mixer.locality is Locality.WINDOW:
        sizes["kernel_size"] = 2
    row = computed_row(mixer.changed(**sizes), _WIDTH, _MAP)
    shared = (row.shared_positions, row.shared_channels)
    return name, *words, row.sparse_positions, row.sparse_channels, *shared, row.dynamic


def _axes(mixer: Mixer) -> list[object]:
    return [getattr(mixer, axis) for axis in AXES]


def costs_table(architecture: Architecture) -> str:
    """Params, multiply-accumulates and activations, each with what counts it."""
    spent, held = cost(architecture), memory(architecture)
    rows = [
        ("params", f"{spent.params:,}", "trainable parameters, computed"),
        (
            "multiply-accumulates",
            f"{spent.macs:,}",
            "of one image, computed: convolutions, linear maps and mixing sums, padding included; "
            "papers print these as FLOPs",
        ),
        ("activations, training", _bytes(held.training_bytes), "of one image in float32, computed"),
        (
            "activations, inference",
            _bytes(held.inference_bytes),
            "largest sum alive at once, of one image in float32, computed",
        ),
    ]
    if (counted := _paper_macs(architecture)) is not None:
        counter = "the counter in the code of the paper's authors"
        rows.insert(2, ("multiply-accumulates, authors", f"{counted:,}", counter))
    return table(("cost", "value", "counter"), rows)


def _paper_macs(architecture: Architecture) -> int | None:
    from space.cost import paper_macs

    try:
        return paper_macs(architecture)
    except InputError:  # their counter is not defined for this network
        return None


def _bytes(number: int) -> str:
    return f"{number / 2**20:.2f} MiB"
