"""Labelled cases as they lie in somebody's folders: LiTS, Medical Segmentation Decathlon, Slicer, DICOM."""
