"""Between MRML and the engine: volume nodes in, segmentation nodes out.

Uses slicer and vtk, never qt, and works in the Slicer application as well as on ``slicer-core`` without it. MRML is in
RAS, the engine in LPS; arrays are (k, j, i) on a volume's own grid here, (slice, row, column) in the engine.
"""
