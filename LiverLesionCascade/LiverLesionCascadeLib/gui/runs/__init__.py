"""Runs of the worker process, on Qt's event loop."""
