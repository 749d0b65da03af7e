"""Liver Lesion Cascade: segmentation of the liver and its lesions on contrast-enhanced CT."""

__version__ = "0.1.0"
