"""Measures of lesions and livers, at one time point and between two."""
