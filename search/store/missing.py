"""The refusals that some callers take as an answer: no store yet, or one of an earlier mixspace."""

from space.errors import InputError


class NoStore(InputError):
    """Nothing is wrong with the place, but no store has been made there."""


class OlderStore(InputError):
    """A store that looking alone cannot read, as that changes nothing: its schema is older."""
