"""A day with both modules, driven by clicks: in an installed Slicer (``make slicer-test``), and on the harness."""
