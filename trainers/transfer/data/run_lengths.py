"""COCO's run lengths, read without trusting them: C code that is handed wrong ones may do anything.

A mask is written column by column as the lengths of runs of zeros and ones in turn, zeros first.
Compressed, each length but the first three is told as the difference to the one two before it, in
groups of five bits with the lowest first, as letters from "0" on.
"""

from typing import Any

_FIRST, _MORE, _SIGN, _BITS = 48, 0x20, 0x10, 5


def decoded_counts(text: str) -> list[int]:
    """The lengths of compressed runs.

    Raises:
        ValueError: it ends amid a number, or holds letters that are none of its alphabet.
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        group = ord(letter) - _FIRST
        if not 0 <= group < 2 * _MORE:
            raise ValueError("holds letters that no run lengths have")
        value |= (group & (_MORE - 1)) << shift
        shift += _BITS
        if group & _MORE:
            continue
        if group & _SIGN:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("ends amid a number")
    return counts


def fault_of_run_lengths(segmentation: dict[str, Any], height: int, width: int) -> str | None:
    """What is wrong with run lengths for a picture of a size; None where nothing is."""
    if segmentation.get("size") != [height, width]:
        return "masks of another size than their picture"
    counts = segmentation.get("counts")
    try:
        lengths = decoded_counts(counts) if isinstance(counts, str) else counts
    except ValueError:
        return "run lengths that cannot be read"
    if not isinstance(lengths, list) or not all(type(n) is int and n >= 0 for n in lengths):
        return "run lengths that cannot be read"
    if sum(lengths) != height * width:
        return "run lengths that do not cover their picture"
    return None
