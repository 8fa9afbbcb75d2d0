"""Finds pictures that two parts of a data set have in common, by content."""

from collections.abc import Sequence

from space.paths import shown_path


def copies_between(
    files: Sequence[str],
    digests: Sequence[bytes],
    other_files: Sequence[str],
    other_digests: Sequence[bytes],
) -> list[tuple[str, str]]:
    """Those files that are among the others too, each with the first of them that it equals."""
    places: dict[bytes, str] = {}
    for file, digest in zip(other_files, other_digests, strict=True):
        places.setdefault(digest, file)
    return [
        (file, places[digest])
        for file, digest in zip(files, digests, strict=True)
        if digest and digest in places
    ]


def told_copies(copies: Sequence[tuple[str, str]], here: str, there: str) -> tuple[str, ...]:
    """A sentence on them, or none.

    Args:
        copies: by `copies_between`. here, there: what the parts are called; of folders with a slash
            at the end, which then stands before the files.
    """
    if not copies:
        return ()
    one, other = (
        shown_path(name + file if name.endswith("/") else file)
        for name, file in zip((here, there), copies[0], strict=True)
    )
    noun, verb = ("picture", "is") if len(copies) == 1 else ("pictures", "are")
    where = f"both in {here} and in {there}"
    return (f"{len(copies):,} {noun} {verb} {where}, such as {one} and {other}",)
