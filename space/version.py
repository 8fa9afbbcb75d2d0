"""The version of the files that describe networks and spaces."""

from typing import Any

from space.errors import InputError, join

VERSION = 1


def without_version(values: object, where: str) -> Any:
    """The values of a file without its `version`, which may be left out.

    Nothing else of a file of another version can be judged, so nothing else is told.

    Args:
        values: as they were read; what is no mapping is given back as it is.
        where: path of the values.

    Raises:
        InputError: for a version that this release does not know.
    """
    if not isinstance(values, dict):
        return values
    rest = dict(values)
    version = rest.pop("version", VERSION)
    if type(version) is not int or version != VERSION:
        short = isinstance(version, str) and len(version) < 20
        small = isinstance(version, int) and abs(version) < 10**12
        shown = repr(version) if short or small else "this version"
        raise InputError.of(join(where, "version"), f"{shown} is not known; allowed: {VERSION}")
    return rest
