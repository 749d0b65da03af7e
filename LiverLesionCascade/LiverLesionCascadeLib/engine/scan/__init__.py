"""Scans in: files and DICOM as HU in axial order, and the way back."""
