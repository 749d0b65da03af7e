"""DICOM in: the series that is meant, its slices put together, and headers that others may repeat."""
