"""Cross-validation, and the paper's Table 2 with its baselines."""
