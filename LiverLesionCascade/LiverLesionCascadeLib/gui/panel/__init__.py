"""The panel: choices, the run, and what it says."""
