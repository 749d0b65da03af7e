"""What other modules of Slicer know us by, and the self-test."""
