"""The background process that segments, and the client that Slicer talks to it with; never slicer, vtk or qt."""
