"""Archives of scans: finds the cases, has dask's workers segment them, and puts the results of all into tables.

Everything that a run knows about a case is one JSON record, written only by the run itself and only after the case's
files are in place: what has no record, or another input, model or choice in it, is done again.
"""
