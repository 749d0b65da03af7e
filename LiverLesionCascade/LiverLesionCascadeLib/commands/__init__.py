"""The commands of ``liver-lesion-cascade``, and what they share: output folders, the console, cancelling."""
