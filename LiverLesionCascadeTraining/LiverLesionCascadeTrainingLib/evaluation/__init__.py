"""Measures of results beside a reference, case by case and together."""
