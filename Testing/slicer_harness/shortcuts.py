"""Keys that Slicer's main window, its menus and its views take: a module's own must be others."""

import re

MAIN_WINDOW = {f"Ctrl+{key}" for key in "OSWZYXCVHF0123456`"} | {"Ctrl+Left", "Ctrl+Right", "Ctrl+Q", "Ctrl+B"}
SEGMENT_EDITOR = {f"Shift+{key}" for key in "0123456789"} | {"Ctrl+Left", "Ctrl+Right"}


def isTaken(key):
    """Whether a key, written as Qt does, has another meaning already.

    Alt and a letter opens a menu: which letters do depends on the language. Without Ctrl or Alt a key is the views'.
    """
    if key in MAIN_WINDOW or key in SEGMENT_EDITOR:
        return True
    return re.fullmatch(r"Alt\+(Shift\+)?\w", key) is not None or not re.search(r"(Ctrl|Alt|Meta)\+", key)
