"""Grids in space, boxes and runs of voxels on them."""
