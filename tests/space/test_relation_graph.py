"""The paper's relation graph against the facts of its figure."""

from space import all_mixer_types, mixer_type_named
from space.relation_graph import EDGES, NODES, one_axis_edges

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


def test_the_edges_are_those_of_the_figure_and_their_labels_and_kinds_are_computed() -> None:
    assert {(e.source.name, e.target.name): (e.label, str(e.kind)) for e in EDGES} == FIGURE
    assert len(EDGES) == 13


def test_every_node_is_a_mixer_type_on_some_edge() -> None:
    assert len(NODES) == 12
    assert {name for edge in EDGES for name in (edge.source.name, edge.target.name)} == set(NODES)
    assert {mixer_type_named(name).paper_name for name in NODES} == set(NODES)


def test_every_other_edge_changes_one_axis_and_has_a_label() -> None:
    edges = one_axis_edges()
    assert len({frozenset((e.source, e.target)) for e in edges}) == len(edges)
    assert all(len(edge.changes) == 1 and edge.label for edge in edges)
    labels = {(e.source.name, e.target.name): e.label for e in edges}
    assert labels["ViT", "PVT"] == "Spatial LR"
    assert len(set(edges) & set(EDGES)) == 8, "in the other five the sharing follows"


def test_every_mixer_type_can_be_reached_from_every_other() -> None:
    pairs = [(edge.source, edge.target) for edge in one_axis_edges()]
    reached = {pairs[0][0]}
    while more := {b for a, b in pairs if a in reached} | {a for a, b in pairs if b in reached}:
        if more <= reached:
            break
        reached |= more
    assert reached == set(all_mixer_types())
