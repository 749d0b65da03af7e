"""MRML nodes as arrays and back; nothing here knows of results."""
