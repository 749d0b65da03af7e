"""The panel of the training module: qt, ctk and slicer. What it shows comes from the run folder, never from memory."""
