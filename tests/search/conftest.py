from tests.support.coarse_gp import coarse_gp

__all__ = ["coarse_gp"]
