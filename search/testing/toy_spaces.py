"""Spaces of points without any vision: conditional, climbable, mostly forbidden, and bare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from space import Infeasible

Point = tuple[str, str, int]
LETTERS = ("a", "b", "c", "d", "e")


@dataclass(frozen=True)
class Choice:
    """One decision of a chain that leads to a point (`search.searchers.DecisionSpace`)."""

    name: str
    options: tuple[str | int | float, ...]
    value: str | int | float


class ToySpace:
    """(first, second, digit): the digit is asked only after "a" and is 0 elsewhere.

    Points whose letters are equal are infeasible, so there are 4·4 + 4·6 = 40 points.
    """

    def points(self) -> list[Point]:
        """All of them."""
        return [
            (first, second, digit)
            for first in LETTERS
            for second in LETTERS
            for digit in (range(6) if first == "a" else (0,))
            if first != second
        ]

    def value(self, point: Point) -> float:
        """What is to be maximised."""
        return LETTERS.index(point[1]) / 10 + point[2] / 10 + (0.2 if point[0] == "a" else 0.0)

    def sample(self, rng: np.random.Generator) -> Point:
        points = self.points()
        return points[int(rng.integers(len(points)))]

    def neighbours(self, point: Point) -> Sequence[Point]:
        return [p for p in self.points() if sum(x != y for x, y in zip(p, point, strict=True)) == 1]

    def key(self, point: Point) -> str:
        return "".join(map(str, point))

    def encode(self, point: Point) -> Sequence[float]:
        one_hot = [float(point[place] == letter) for place in (0, 1) for letter in LETTERS]
        return [*one_hot, float(point[2])]

    def walk(self, choose: Callable[[str, tuple[Any, ...], Any], Any]) -> Point:
        first = choose("first", LETTERS, lambda p: p[0])
        second = choose("second", LETTERS, lambda p: p[1])
        # The options of one decision change with an earlier one, which Optuna would refuse.
        options = tuple(range(6)) if first == "a" else (0,)
        digit = choose("digit", options, lambda p: p[2])
        if first == second:
            raise Infeasible(["two equal letters"])
        return first, second, digit

    def decisions(self, point: Point) -> Sequence[Choice]:
        found: list[Choice] = []

        def replay(name: str, options: tuple[Any, ...], read: Any) -> Any:
            found.append(Choice(name, options, read(point)))
            return read(point)

        self.walk(replay)
        return found


Node = tuple[int, ...]
SIDE, DIMENSIONS = 5, 6


class Lattice:
    """Points of a 5×5×5×5×5×5 lattice: too many to try them all, and easy to climb."""

    top: Node = (1, 4, 2, 0, 3, 2)

    def value(self, point: Node) -> float:
        """What is to be maximised."""
        return -float(sum(abs(x - y) for x, y in zip(point, self.top, strict=True)))

    def sample(self, rng: np.random.Generator) -> Node:
        return tuple(int(x) for x in rng.integers(SIDE, size=DIMENSIONS))

    def neighbours(self, point: Node) -> Sequence[Node]:
        return [
            (*point[:place], point[place] + step, *point[place + 1 :])
            for place in range(DIMENSIONS)
            for step in (-1, 1)
            if 0 <= point[place] + step < SIDE
        ]

    def key(self, point: Node) -> Node:
        return point

    def encode(self, point: Node) -> Sequence[float]:
        return [float(x) for x in point]

    def walk(self, choose: Callable[[str, tuple[Any, ...], Any], Any]) -> Node:
        def choice(place: int) -> int:
            return int(choose(f"x{place}", tuple(range(SIDE)), lambda p: p[place]))

        return tuple(choice(place) for place in range(DIMENSIONS))

    def decisions(self, point: Node) -> Sequence[Choice]:
        return [Choice(f"x{place}", tuple(range(SIDE)), x) for place, x in enumerate(point)]


class Corner:
    """A grid of 150 × 150, to be searched in its corner of 45 points: one point in five hundred."""

    side = 150
    reach = 8

    def value(self, point: Node) -> float:
        """What is to be maximised."""
        return float(point[0] + 2 * point[1])

    def sample(self, rng: np.random.Generator) -> Node:
        return divmod(int(rng.integers(self.side**2)), self.side)

    def neighbours(self, point: Node) -> Sequence[Node]:
        x, y = point
        moves = ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
        return [move for move in moves if min(move) >= 0 and max(move) < self.side]

    def key(self, point: Node) -> Node:
        return point

    def encode(self, point: Node) -> Sequence[float]:
        return [float(x) for x in point]


class Bare:
    """Another space, of which only the four methods are left that every space has."""

    def __init__(self, space: Any) -> None:
        self.sample, self.neighbours = space.sample, space.neighbours
        self.key, self.encode = space.key, space.encode
