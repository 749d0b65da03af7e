"""What the panel asks once, answered where nobody is there."""

from contextlib import contextmanager

import slicer


@contextmanager
def answered(answer):
    """:param answer: "yes" or "no", to all that the panel asks and remembers; the settings are as before at the end."""
    from LiverLesionCascadeLib.gui.panel.questions import READING_LAYOUT, SHOW_CHOSEN_SCAN

    settings = slicer.app.userSettings()
    before = {each: settings.value(each) for each in (SHOW_CHOSEN_SCAN, READING_LAYOUT)}
    for each in before:
        settings.setValue(each, answer)
    try:
        yield
    finally:
        for each, value in before.items():
            settings.remove(each) if value is None else settings.setValue(each, value)
