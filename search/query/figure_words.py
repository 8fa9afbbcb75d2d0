"""Figures that a study may want, as people read them."""

from space.wording import percent, short


def figure_words(name: str, value: float) -> str:
    """Such as "91.23%" of an accuracy, "0.4321" of a loss, "3.74G" of a cost."""
    if name == "validation_accuracy":
        return percent(value)
    return f"{value:.4f}" if name == "validation_loss" else short(round(value))
