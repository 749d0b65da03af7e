"""Packages installed at their first use, with consent."""
