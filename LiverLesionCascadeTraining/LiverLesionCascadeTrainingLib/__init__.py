"""Training and evaluation of the liver lesion cascade: cases, sampling, training of both stages, metrics, export."""
