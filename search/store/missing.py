"""The one refusal that some callers take as an answer: there is no store yet."""

from space.errors import InputError


class NoStore(InputError):
    """Nothing is wrong with the place, but no store has been made there."""
