"""Neighbours by their definition: every pair of mixers and every shape looked at, nothing kept."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from space import Architecture, DesignSpace, Mixer, MixerType
from space.architecture import Stage
from space.axes import AXES
from space.design.stage_options import StageOptions

SIZES = tuple(field.name for field in fields(Mixer) if field.name not in AXES)


def slow_neighbours(space: DesignSpace, point: Architecture) -> list[Architecture]:
    """What `DesignSpace.neighbours` gives for a point of the space, in the same order."""
    scale = space.frame.layer_scale
    moved = [replace(point, block_type=one, layer_scale=scale) for one in space.block_types]
    moved += _with_other_patches(space, point)
    for index, options in enumerate(space.stage_options[point.stem.patch_size]):
        for stage in _stages(point.stages[index], options):
            stages = (*point.stages[:index], stage, *point.stages[index + 1 :])
            moved.append(Architecture.from_dict(replace(point, stages=stages).to_dict()))
    distinct = {other.id: other for other in moved if other.id != point.id}
    return [other for other in distinct.values() if not space.violations(other)]


def _with_other_patches(space: DesignSpace, point: Architecture) -> Iterator[Architecture]:
    for patch_size, options in space.stage_options.items():
        pairs = list(zip(point.stages, options, strict=True))
        shapes = [(stage.width, stage.depth, stage.mlp_ratio) for stage, _ in pairs]
        offered = all(s in o.shapes() for s, (_, o) in zip(shapes, pairs, strict=True))
        if patch_size != point.stem.patch_size and offered:
            stages = tuple(_nearest(stage, here) for stage, here in pairs)
            stem = replace(point.stem, patch_size=patch_size)
            yield replace(point, stem=stem, stages=stages)


def _nearest(stage: Stage, options: StageOptions) -> Stage:
    mixers = []
    for place in range(options.pattern_length(stage.depth)):
        wanted = stage.mixers[place % len(stage.mixers)]
        choices = options.choices(stage.width, stage.depth, place)
        mixers.append(min(choices, key=lambda m, w=wanted: apart(m, w)))  # type: ignore[misc]
    return Stage(stage.depth, stage.width, stage.mlp_ratio, tuple(mixers))


def _stages(stage: Stage, options: StageOptions) -> Iterator[Stage]:
    for width, depth, ratio in _shapes((stage.width, stage.depth, stage.mlp_ratio), options):
        length = options.pattern_length(depth)
        wanted = [stage.mixers[place % len(stage.mixers)] for place in range(length)]
        mixers = [
            min(options.choices(width, depth, place), key=lambda m, w=w: apart(m, w))  # type: ignore[misc]
            for place, w in enumerate(wanted)
        ]
        same = (width, depth) == (stage.width, stage.depth)
        yield Stage(depth, width, ratio, stage.mixers if same else tuple(mixers))
    blocks, length = stage.block_mixers(), options.pattern_length(stage.depth)
    for place in range(length):
        choices = options.choices(stage.width, stage.depth, place)
        chosen = next(m for m in choices if _stands(m, blocks[place::length], stage, place, length))
        for mixer in _joined(choices)[chosen]:
            yield replace(stage, mixers=(*blocks[:place], mixer, *blocks[place + 1 : length]))


def _stands(mixer: Mixer, there: tuple[Mixer, ...], stage: Stage, place: int, length: int) -> bool:
    """Whether a choice gives these blocks: even blocks never move, with or without `shift`."""
    return all(
        block == (mixer.changed(shift=True) if mixer.shift is False and number % 2 == 0 else mixer)
        for block, number in zip(there, range(place, stage.depth, length), strict=True)
    )


def _shapes(here: tuple[Any, ...], options: StageOptions) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for axis in range(3):
        smaller = [shape for shape in options.shapes() if shape[axis] < here[axis]]
        larger = [shape for shape in options.shapes() if shape[axis] > here[axis]]
        ends = [max(s[axis] for s in smaller)] if smaller else []
        ends += [min(s[axis] for s in larger)] if larger else []
        for end in ends:
            nearest = [shape for shape in options.shapes() if shape[axis] == end]
            found.append(min(nearest, key=lambda shape: _shape_apart(shape, here)))
    return found


def _shape_apart(one: Sequence[Any], other: Sequence[Any]) -> tuple[int, float]:
    pairs = list(zip(one, other, strict=True))
    return sum(a != b for a, b in pairs), sum(abs(a - b) for a, b in pairs)


def _differing(one: object, other: object, names: Sequence[str]) -> int:
    return sum(getattr(one, name) != getattr(other, name) for name in names)


def apart(one: Mixer, other: Mixer) -> tuple[int, int]:
    """In how many axes two mixers differ, and in how many sizes and options."""
    return _differing(one, other, tuple(AXES)), _differing(one, other, SIZES)


@lru_cache
def _joined(mixers: tuple[Mixer, ...]) -> dict[Mixer, list[Mixer]]:
    mixer_types = list(dict.fromkeys(mixer.type for mixer in mixers))
    members = {
        mixer_type: [mixer for mixer in mixers if mixer.type == mixer_type]
        for mixer_type in mixer_types
    }
    axes = {(a, b): _differing(a, b, tuple(AXES)) for a in mixer_types for b in mixer_types}

    def neighbouring(a: MixerType, b: MixerType) -> bool:
        far = axes[a, b]
        return a != b and not any(axes[a, c] < far and axes[c, b] < far for c in mixer_types)

    joined: dict[Mixer, list[Mixer]] = {}
    for mixer_type in mixer_types:
        beyond = [
            m for other in mixer_types if neighbouring(mixer_type, other) for m in members[other]
        ]
        within = _within(members[mixer_type])
        joined |= {
            m: beyond + [o for o in members[mixer_type] if (m, o) in within]
            for m in members[mixer_type]
        }
    return joined


def _within(mixers: list[Mixer]) -> set[tuple[Mixer, Mixer]]:
    """Pairs one field apart; groups that these do not join, by their closest pair, in order."""
    pairs = {(a, b) for a in mixers for b in mixers if _differing(a, b, SIZES) == 1}
    groups: list[list[Mixer]] = []
    for mixer in mixers:
        if not any(mixer in group for group in groups):
            groups.append(_group(mixer, mixers, pairs))
    reached = groups[0]
    for group in groups[1:]:
        closest = min(
            ((a, b) for a in reached for b in group), key=lambda ab: _differing(*ab, SIZES)
        )
        pairs |= {closest, closest[::-1]}
        reached = reached + group
    return pairs


def _group(start: Mixer, mixers: list[Mixer], pairs: set[tuple[Mixer, Mixer]]) -> list[Mixer]:
    group = {start}
    while more := {b for a, b in pairs if a in group} - group:
        group |= more
    return [mixer for mixer in mixers if mixer in group]
