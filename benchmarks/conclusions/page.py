"""What stands in the documentation of the experiment: counted from its files, never typed."""

import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.conclusions.article import Claim, Expected, conclusions_of, outcome, outcomes
from benchmarks.conclusions.contrasts import Found, OneSkeleton
from benchmarks.conclusions.recipe import recipe_effect
from benchmarks.markdown import markdown_table
from benchmarks.table.read import TabularBenchmark, variant_table
from benchmarks.table.spec import PLAIN, TableSpec
from search.effects import Effect, Estimate, MoveKind, SeedSpread, interval_in_points, points
from search.query import table_effects
from space.architecture import BLOCK_TYPES
from space.wording import NONE, count

BEGIN = "<!-- written by benchmarks.conclusions -->"
END = "<!-- end of what is written -->"
RECIPE = "The recipe matters"
_CONTRASTS = ("contrast", "points [95%]", "contexts", "trainings", "params ×", "MACs ×", "verdict")
_EDGES = ("edge", "points [95%]", "pairs", *BLOCK_TYPES, "params ×", "verdict")


def text(spec: TableSpec, path: Path) -> str:
    """All that is written, in Markdown.

    Args:
        spec: of the table. path: of its file.
    """
    benchmark = TabularBenchmark(path)
    skeleton = OneSkeleton(benchmark)
    found, recipe = conclusions_of(skeleton, _recipe(spec, benchmark, path, skeleton.seeds))
    sentences = [_sentence(claim, each) for claim, each in found.items()]
    parts = (
        _state(spec, benchmark, skeleton),
        _edges(path),
        _contrasts([*found.items()], recipe),
        "\n".join([*sentences, _of_recipe(recipe)]),
    )
    return "\n\n".join(parts)


def written(page: Path) -> str:
    """What stands in a page now."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write(page: Path, new: str) -> None:
    """Put a text in place of what stood between the marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{new}\n{END}{rest.partition(END)[2]}")


def _state(spec: TableSpec, benchmark: TabularBenchmark, skeleton: OneSkeleton) -> str:
    """How much of the table there is."""
    there = sum(len(benchmark.trainings(name)) for name in benchmark.architectures)
    planned = len(spec.trainings())
    said = f"{len(benchmark.architectures)} of {spec.space().count()} networks are trained, "
    said += f"{there} of {planned} trainings are done"
    seeds = skeleton.seeds
    if seeds is None:
        return f"{said}; none has two seeds yet, so what a seed does is not known."
    deviation = f"{100 * seeds.deviation:.2f}"
    known = count(int(seeds.freedom), "degree")
    return f"{said}. One network scatters by {deviation} points over seeds ({known} of freedom)."


def _edges(path: Path) -> str:
    effects = table_effects(path).effects
    return markdown_table(_EDGES, [_edge(e) for e in effects if e.move.kind is MoveKind.EDGE])


def _edge(effect: Effect) -> list[str]:
    parts = [effect.by_block_type.get(name) for name in BLOCK_TYPES]
    return [
        effect.move.name,
        _with_interval(effect.accuracy),
        str(effect.pairs),
        *(NONE if part is None else points(part.mean) for part in parts),
        _times(effect.ratios.get("params", math.nan)),
        effect.verdict,
    ]


def _contrasts(found: Sequence[tuple[Claim, Sequence[Found]]], recipe: Found | None) -> str:
    rows = [_row(each) for _, several in found for each in several]
    return markdown_table(_CONTRASTS, [*rows, *([] if recipe is None else [_row(recipe)])])


def _row(found: Found) -> list[str]:
    return [
        found.name,
        _with_interval(found.estimate),
        f"{found.estimate.contexts} of {found.wanted}",
        str(found.trainings),
        *(_times(found.ratios[name]) for name in ("params", "macs")),
        found.verdict,
    ]


def _with_interval(estimate: Estimate) -> str:
    """In points; a dash alone where there is nothing, and one in brackets for no interval."""
    if not estimate.contexts:
        return NONE
    interval = f"[{NONE}]" if math.isnan(estimate.low) else interval_in_points(estimate)
    return f"{points(estimate.mean)} {interval}"


def _times(ratio: float) -> str:
    return NONE if math.isnan(ratio) else f"{ratio:.2f}"


def _sentence(claim: Claim, found: Sequence[Found]) -> str:
    """What the table says of a conclusion."""
    said = [
        f"{each.name} {_with_interval(each.estimate)}, n = {each.estimate.contexts}: {word}"
        for each, word in zip(found, outcomes(claim.expected, found), strict=True)
    ]
    return f"- *{claim.text}* ({claim.expected}): {'; '.join(said)}."


def _recipe(
    spec: TableSpec, benchmark: TabularBenchmark, path: Path, seeds: SeedSpread | None
) -> Found | None:
    plain = variant_table(path, PLAIN)
    if not plain.is_file():
        return None
    wanted = len(spec.as_variant(PLAIN).trainings())
    return recipe_effect(benchmark, TabularBenchmark(plain), wanted, seeds)


def _of_recipe(found: Found | None) -> str:
    if found is None:
        return f"- *{RECIPE}*: not tested yet."
    said = f"{found.name} {_with_interval(found.estimate)}, n = {found.estimate.contexts}"
    return f"- *{RECIPE}* ({Expected.GAIN}): {said}: {outcome(Expected.GAIN, found)}."
