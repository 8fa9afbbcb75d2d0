"""Six token mixers that the algebra does not have, as examples of `mixspace.register_mixer`.

    plugins: [mixspace.mixers]        # in a space file; then by name, as every operator

Each is one file: the module in plain torch, and what is declared of it.
"""

from mixspace.mixers.global_filter import GlobalFilter
from mixspace.mixers.identity import Identity
from mixspace.mixers.large_kernel_pair import LargeKernelPair
from mixspace.mixers.linear_attention import LinearAttention
from mixspace.mixers.pooling import Pooling
from mixspace.mixers.selective_scan import SelectiveScan

__all__ = [
    "GlobalFilter",
    "Identity",
    "LargeKernelPair",
    "LinearAttention",
    "Pooling",
    "SelectiveScan",
]
