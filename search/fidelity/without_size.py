"""Ranks with the size of the networks taken out of them.

A proxy that follows the number of parameters orders networks as that number does, and adds nothing
to it. What it adds shows in the residuals: the ranks (equals have their mean rank) of the proxy and
of the full results are each fitted by least squares to log params and log MACs, and what is left of
both is compared by Kendall's tau-b.
"""

import numpy as np

from search.fidelity.agreement import ENOUGH, Agreement, agreement, mean_ranks
from search.fidelity.pairs import Floats

FITTED = 2
"""Degrees of freedom that the fit takes beside the mean: log params and log MACs."""


def without_size(proxy: Floats, full: Floats, params: Floats, macs: Floats) -> Agreement:
    """Tau-b of what size does not explain.

    Args:
        proxy, full: (n,) finite values. params, macs: (n,) of 0 or more.
    """
    if len(full) < ENOUGH:
        return Agreement(len(full))
    sizes = np.log(np.maximum(np.stack([params, macs]), 1.0))
    left = [residual(each, sizes) for each in (proxy, full)]
    return agreement(left[0], left[1], spent=FITTED)


def residual(values: Floats, sizes: Floats) -> Floats:
    """What is left of the ranks of (n,) values after a fit to (2, n) sizes; (n,)."""
    ranks = mean_ranks(values)
    columns = np.column_stack([np.ones(len(ranks)), *(sizes - sizes.mean(1, keepdims=True))])
    fitted = columns @ np.linalg.lstsq(columns, ranks, rcond=None)[0]
    # Equals of equal size are left equal: rounding of the fit must not order them.
    return np.asarray(np.round(ranks - fitted, 6), dtype=float)
