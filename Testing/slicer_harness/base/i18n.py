"""Translation of texts in scripted modules, by the context rule of Slicer."""

import inspect
import re
from pathlib import Path


def translate(context, text):
    from slicer import app

    return app.translate(context, text)


def getContext(sourceFile):
    """The file's name without .py; within a package with the folder's name before it: "gui.panel"."""
    path = Path(sourceFile)
    return f"{path.parent.name}.{path.stem}" if (path.parent / "__init__.py").is_file() else path.stem


def tr(text):
    """The text in the language of the application; as it is where the translation has other placeholders."""
    translated = translate(getContext(inspect.currentframe().f_back.f_code.co_filename), text)
    return translated if _placeholders(translated) == _placeholders(text) else text


def _placeholders(text):
    return set(re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", text))
