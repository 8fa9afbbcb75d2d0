"""Hands a trained network over: finds it in the store, with all that is known of it.

`export` writes the folder; what is in it is `trainers.export`'s to say.
"""

from search.handover.hand_over import export

__all__ = ["export"]
