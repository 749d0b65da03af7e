"""Runs scripted Slicer modules without the Slicer application: ``install()`` first, then ``load(path)``."""

from .modules import (
    LOADED,
    SELECTED,
    LoadedModule,
    close_panels,
    destroy_widget,
    install,
    keep_constants_alive,
    load,
    open_widget,
    select_module,
)

__all__ = [
    "LOADED",
    "SELECTED",
    "LoadedModule",
    "close_panels",
    "destroy_widget",
    "install",
    "keep_constants_alive",
    "load",
    "open_widget",
    "select_module",
]
