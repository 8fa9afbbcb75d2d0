"""Figures of studies, architectures and mixers, drawn by Plotly.

The dashboard, the command line and `mixspace.visualization` draw by these alike.
`study_figures` has those that need only a store and the name of a study, `network_figures` those of
networks and token mixers.
"""
