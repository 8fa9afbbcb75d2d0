"""Fast operators, one module for each axis of the algebra: weights, aggregators, rank wrappers."""

from space.operators.token_mixer import TokenMixer

__all__ = ["TokenMixer"]
