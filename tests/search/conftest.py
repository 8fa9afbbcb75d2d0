from tests.support.coarse_gp import coarse_gp
from tests.support.small_reservoir import small_reservoir

__all__ = ["coarse_gp", "small_reservoir"]
