"""Costs of many architectures of a design space at once, from tables of their pieces."""

from space.cost.table.cost_table import Costs, CostTable, Memories

__all__ = ["CostTable", "Costs", "Memories"]
