"""Fast operators, one module for each axis of the algebra; `token_mixer` composes them.

A weight source makes the free entries of W (`space.weight_sources`, a folder each). `aggregators`
apply them: (depth-wise) convolution, sums over neighbourhoods (`neighbourhood`), products in
windows and over the map (`tiles`). `rank` has the low-rank factors around both.
"""

from space.operators.token_mixer import TokenMixer

__all__ = ["TokenMixer"]
