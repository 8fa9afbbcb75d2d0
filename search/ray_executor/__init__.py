"""Runs the trials of a study on Ray Tune: a private Ray, or the cluster that is there."""
