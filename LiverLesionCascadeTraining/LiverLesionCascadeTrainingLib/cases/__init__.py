"""Labelled cases: what one is, what its labels mean, and whose it is."""
