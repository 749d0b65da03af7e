"""The table of lesions, and the verdicts on them."""
