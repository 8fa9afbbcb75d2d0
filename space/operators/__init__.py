"""Fast operators, one module for each axis of the algebra; `token_mixer` composes them.

`weight_sources` makes the free entries of W: static, homogeneous and inhomogeneous dynamic weights;
`attention` is the softmax of q·k. `aggregators` apply them: (depth-wise) convolution, sums over
neighbourhoods (`neighbourhood`), products in windows and over the map (`tiles`). `rank` has the
low-rank factors around both.

`custom` builds what others have registered, `tracing` tells what it costs, and `custom_checks`
whether it is what it says.
"""

from space.operators.custom import CustomTokenMixer
from space.operators.token_mixer import TokenMixer

__all__ = ["CustomTokenMixer", "TokenMixer"]
