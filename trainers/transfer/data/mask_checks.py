"""Looks at every picture and mask of a part: whether they fit, and which numbers occur."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from space.input.paths import shown_path
from trainers.data.image_folder.inspection import Check, inspect_files
from trainers.transfer.data.findings import Findings
from trainers.transfer.data.index_masks import MaskFacts, inspect_masks
from trainers.transfer.data.pictures import Frame, frames_of
from trainers.transfer.data.segmentation_index import SegmentationIndex
from trainers.transfer.data.segmentation_layout import MaskPart, pairs_of

Say = Callable[[str], None]

_MANY = 2000
"""Masks that take a while."""


@dataclass(frozen=True, slots=True)
class CheckedMasks:
    """The pairs of a part.

    Attributes:
        index: of those that are whole. values: that occur in each mask.
        findings: what is wrong with others; pairs of them are not in the index.
        place: what they are called in messages.
    """

    index: SegmentationIndex
    values: tuple[tuple[int, ...], ...]
    findings: Findings
    place: str


def check_masks(part: MaskPart, *, check: Check, say: Say | None) -> CheckedMasks:
    """Read every mask, and look at every picture.

    Raises:
        InputError: pictures without masks, or masks without pictures.
    """
    pairs = pairs_of(part)
    seen = inspect_files(part.images, pairs.files, check, say)
    frames = frames_of([part.images / file for file in pairs.files])
    if say is not None and len(pairs.masks) >= _MANY:
        say(f"Reading {len(pairs.masks):,} masks of {shown_path(str(part.masks))}.")
    facts = inspect_masks([part.masks / file for file in pairs.masks])
    found, chosen, upright = Findings(), [], []
    for i, (frame, fact) in enumerate(zip(frames, facts, strict=True)):
        if i in seen.faults or isinstance(frame, str):
            fault = seen.faults.get(i, frame)
            found.add("pictures that cannot be read", f"{pairs.files[i]}: {fault}")
        if isinstance(fact, str):
            found.add("masks that cannot be read", f"{pairs.masks[i]}: {fact}")
        if i in seen.faults or not isinstance(frame, Frame) or not isinstance(fact, MaskFacts):
            continue
        size = (fact.height, fact.width)
        if size not in (frame.lying, frame.upright):
            said = f"{pairs.masks[i]}: {fact.width} × {fact.height}"
            said += f", and the picture has {frame.width} × {frame.height}"
            found.add("masks of another size than their picture", said)
            continue
        chosen.append(i)
        upright.append(size != frame.lying)
    whole = [each for i in chosen if isinstance(each := facts[i], MaskFacts)]
    index = SegmentationIndex(
        images=part.images,
        masks=part.masks,
        files=tuple(pairs.files[i] for i in chosen),
        mask_files=tuple(pairs.masks[i] for i in chosen),
        sizes=np.array([(each.height, each.width) for each in whole], np.int64).reshape(-1, 2),
        upright=np.array(upright, bool),
        digests=tuple(seen.digests[i] for i in chosen),
        mask_digests=tuple(each.digest for each in whole),
    )
    return CheckedMasks(
        index, tuple(each.values for each in whole), found, shown_path(str(part.masks))
    )


def without_foreign_values(
    checked: CheckedMasks, allowed: frozenset[int], broken: Literal["refuse", "leave_out"]
) -> tuple[CheckedMasks, tuple[str, ...]]:
    """Refuse or leave out all that is wrong, masks with numbers of no class among it.

    Args:
        allowed: the numbers of the classes, and those that are ignored.

    Returns:
        what is left, and sentences on what was left out.

    Raises:
        InputError: naming by kind and number what is wrong, unless it is to be left out.
    """
    found, kept = checked.findings, []
    for i, values in enumerate(checked.values):
        if foreign := sorted(set(values) - allowed):
            shown = " ".join(map(str, foreign[:5])) + (" …" if len(foreign) > 5 else "")
            found.add("masks with numbers of no class", f"{checked.index.mask_files[i]}: {shown}")
        else:
            kept.append(i)
    if broken == "refuse":
        found.refuse(checked.place)
    left = CheckedMasks(
        checked.index.only(np.array(kept, np.int64)),
        tuple(checked.values[i] for i in kept),
        found,
        checked.place,
    )
    return left, tuple(f"{checked.place}: left out as {each}" for each in found.sentences())
