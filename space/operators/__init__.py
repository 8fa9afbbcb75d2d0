"""Fast operators, one module for each axis of the algebra; `token_mixer` composes them.

A weight source makes the free entries of W (`space.weight_sources`, a folder each). `aggregators`
apply them: convolution (`depthwise`, `per_image`), sums over neighbourhoods (`neighbourhood`),
products in windows and over the map (`tiles`). `rank` has the low-rank factors around both.

`custom` builds what others have registered, `tracing` tells what it costs, and `custom_checks`
and `custom_marks` whether it is what it says.
"""

from space.operators.custom import CustomTokenMixer
from space.operators.token_mixer import TokenMixer

__all__ = ["CustomTokenMixer", "TokenMixer"]
