"""Ray Tune asks the cluster for the class of its trials five times a trial; here it asks once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def trainable_looked_up_once() -> Iterator[None]:
    """Remember what Ray Tune's registry has, for a block in which one trainable runs.

    Every question goes to the head node and back, and together they take a good part of what Ray
    Tune spends on a trial. The registry is no public part of Ray: one that looks otherwise than
    expected is left as it is.
    """
    from ray.tune import registry

    found = getattr(registry, "_global_registry", None)
    if not (callable(getattr(found, "get", None)) and callable(getattr(found, "contains", None))):
        yield
        return
    with _replaced(found, "get"), _replaced(found, "contains"):
        yield


@contextmanager
def _replaced(registry: Any, name: str) -> Iterator[None]:
    before = vars(registry).get(name)
    setattr(registry, name, _remembering(getattr(registry, name)))
    try:
        yield
    finally:
        if before is None:
            delattr(registry, name)  # the method of the class is seen again
        else:
            setattr(registry, name, before)


def _remembering(ask: Callable[[str, str], Any]) -> Callable[[str, str], Any]:
    """Remembers what is there; what is not there yet may be registered later."""
    answers: dict[tuple[str, str], Any] = {}

    def call(category: str, key: str) -> Any:
        if (category, key) not in answers:
            answer = ask(category, key)
            if not answer:
                return answer
            answers[category, key] = answer
        return answers[category, key]

    return call
