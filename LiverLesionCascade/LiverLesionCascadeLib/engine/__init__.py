"""The segmentation engine: numpy, scipy, SimpleITK and torch only; importing it needs neither torch nor Slicer."""
