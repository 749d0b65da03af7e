"""Widgets and dialogs of the panel, and what drives them; the only place with qt beside the module file."""
