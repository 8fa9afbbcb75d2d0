"""What is said when a space has too many points to count one way or another."""


class TooLarge(ValueError):
    """A space that cannot be counted exactly within the memory and time that are allowed.

    The message says what would be needed. Nothing is estimated in its place.
    """
