"""The one fold over a chain: stem, stages and head, in either direction, under any semiring."""

from typing import Generic, Protocol, TypeVar

from space.design.feasible.chain import OUTSIDE, Chain, Link, Node

V = TypeVar("V")
Values = dict[Node, V]


class Semiring(Protocol[V]):
    """What is folded. A value stands for all ways to one node of a chain.

    Its sum joins ways that meet in a node, its product goes on along each of them: over a link
    (the stem, the downsampling between two stages, the head), and through a stage with all that it
    may be. Numbers count, sums of costs count by cost, fronts keep the least, lists keep all.
    """

    def one(self) -> V:
        """The value of the outside, before any piece."""
        ...

    def join(self, ways: list[V]) -> V:
        """The sum of the values of several ways to one node; of none, the zero."""
        ...

    def along(self, value: V, gap: int, link: Link) -> V:
        """A value times a link: `Chain.links[gap][link]`."""
        ...

    def through(self, value: V, stage: int, node: Node) -> V:
        """A value times all that a stage may be at a node."""
        ...


class Fold(Generic[V]):
    """The values of the nodes of a chain, from the stem on, or backward from the head.

    Attributes:
        reached: for each stage and node, the value without the stage.
        passed: the value with the stage.
        last: the values of the last stage that it has passed, or of the outside before any.
    """

    def __init__(
        self,
        chain: Chain,
        semiring: Semiring[V],
        *,
        backward: bool = False,
        stages: int | None = None,
    ) -> None:
        """
        Args:
            chain: whose ways are folded.
            semiring: the values and what is done with them.
            backward: whether from the head to the stem.
            stages: how many to pass, by default all.
        """
        self._chain = chain
        self._semiring = semiring
        self._backward = backward
        self.reached: dict[int, Values[V]] = {}
        self.passed: dict[int, Values[V]] = {}
        self.last: Values[V] = {OUTSIDE: semiring.one()}
        order = range(len(chain.options))
        for stage in (order[::-1] if backward else order)[:stages]:
            reached = self._cross(stage + backward, chain.nodes[stage])
            self.reached[stage] = reached
            self.last = {n: semiring.through(v, stage, n) for n, v in reached.items()}
            self.passed[stage] = self.last

    def _cross(self, gap: int, nodes: list[Node]) -> Values[V]:
        ways: dict[Node, list[V]] = {node: [] for node in nodes}
        for link in self._chain.links[gap]:
            start, end = link[::-1] if self._backward else link
            ways[end].append(self._semiring.along(self.last[start], gap, link))
        return {node: self._semiring.join(values) for node, values in ways.items()}

    def total(self) -> V:
        """The value of all ways through the chain, once all stages are passed."""
        gap = 0 if self._backward else len(self._chain.options)
        return self._cross(gap, [OUTSIDE])[OUTSIDE]
