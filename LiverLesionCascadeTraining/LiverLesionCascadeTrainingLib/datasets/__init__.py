"""Training data: from LiTS, Medical Segmentation Decathlon, Slicer and DICOM to one prepared set on disk."""
