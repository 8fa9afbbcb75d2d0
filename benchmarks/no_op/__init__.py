"""Trials that do nothing, to see what is spent around them."""
