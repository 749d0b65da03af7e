"""Runs scripted Slicer modules without the Slicer application: ``install()`` first, then ``load(path)``."""

from .modules import LOADED, SELECTED, LoadedModule, install, load, open_widget, select_module

__all__ = ["LOADED", "SELECTED", "LoadedModule", "install", "load", "open_widget", "select_module"]
