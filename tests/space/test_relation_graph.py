"""The paper's relation graph against the facts of its figure."""

from space import all_cells, cell_named
from space.relation_graph import EDGES, NODES, axis_changes, one_axis_moves

FIGURE = {
    ("MLP", "Conv."): ("Locality Sep.", "sparse"),
    ("MLP", "Sep. MLP"): ("Dim. Sep.", "sparse"),
    ("MLP", "LR MLP"): ("Dim. LR", "low rank"),
    ("Conv.", "Pyramid MS Conv."): ("Spatial LR", "low rank"),
    ("Conv.", "Bottleneck"): ("Channel LR", "low rank"),
    ("Conv.", "DW-S Conv."): ("Dim. Sep.", "sparse"),
    ("Sep. MLP", "DW-S Conv."): ("Locality Sep.", "sparse"),
    ("Sep. MLP", "ViT"): ("Spatial Dynamic", "dynamic"),
    ("ViT", "Local ViT"): ("Locality Sep.", "sparse"),
    ("ViT", "PVT"): ("Spatial LR", "low rank"),
    ("DW-S Conv.", "Dynamic DW-S Conv."): ("Vec. Atten.", "dynamic"),
    ("DW-S Conv.", "Dynamic Local-S MLP"): ("Inhomogeneous Vec. Atten.", "dynamic"),
    ("Local ViT", "Dynamic Local-S MLP"): ("Inhomogeneous Vec. Atten.", "dynamic"),
}


def test_the_edges_are_those_of_the_figure_and_their_kinds_are_computed() -> None:
    assert {(e.source, e.target): (e.label, str(e.kind)) for e in EDGES} == FIGURE


def test_every_node_is_a_cell_on_some_edge() -> None:
    assert len(NODES) == 12
    assert {name for edge in EDGES for name in (edge.source, edge.target)} == set(NODES)
    assert {cell_named(name).paper_name for name in NODES} == set(NODES)


def test_one_axis_moves_join_cells_that_differ_in_one_axis() -> None:
    moves = one_axis_moves()
    assert len(set(moves)) == len(moves)
    assert all(len(axis_changes(source, target)) == 1 for source, target in moves)
    reached = {moves[0][0]}
    while more := {b for a, b in moves if a in reached} | {a for a, b in moves if b in reached}:
        if more <= reached:
            break
        reached |= more
    assert reached == set(all_cells()), "every cell can be reached from every other"
