"""Renew the translation files (.ts) of both modules from the texts in their sources.

    python Testing/tools/update_translations.py            # write; what is new stands there as "unfinished"
    python Testing/tools/update_translations.py --check    # only compare: exit status 1 and a line for each difference

The texts are those in _() of the module's Python files, under the context that slicer.i18n.tr gives them at run time,
the strings of its .ui files, under the class of the form, and those in _() of the report's page, under "Report".
Translations stay; those of texts that are gone become "vanished". Plain Python, as lupdate neither knows _() nor that
context.
"""

import argparse
import ast
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = ("LiverLesionCascade", "LiverLesionCascadeTraining")
LANGUAGES = ("de-DE", "fr-FR")
REPORT = "Report"
PAGE_TEXT = {".html": r"_\(([^()]+)\)", ".js": r'\b_\(\s*"([^"]+)"'}


def ts_path(module, language):
    return REPOSITORY / module / "Resources" / "Translations" / f"{module}_{language}.ts"


def texts_of(module):
    """Set of (context, text) that the module shows."""
    folder = REPOSITORY / module
    scripts = [folder / f"{module}.py", *(folder / f"{module}Lib").rglob("*.py")]
    forms = (folder / "Resources" / "UI").glob("*.ui")
    pages = (path for path in (folder / "Resources" / "Report").rglob("*") if path.suffix in PAGE_TEXT)
    return set().union(*map(python_texts, scripts), *map(form_texts, forms), *map(page_texts, pages))


def python_texts(path):
    """Texts in _() of a Python file; ValueError where one is not a plain literal, which no translator could find."""
    texts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            if len(node.args) != 1 or not isinstance(getattr(node.args[0], "value", None), str):
                raise ValueError(f"{path}, line {node.lineno}: put one literal text into _(), and .format() after it.")
            texts.add((python_context(path), node.args[0].value))
    return texts


def python_context(path):
    """The context that slicer.i18n.getContext() gives to a file: with its folder's name where that is a package.

    The engine, which knows no Slicer, has its report's texts translated under one context.
    """
    if path.parent.name == "reports":
        return REPORT
    return f"{path.parent.name}.{path.stem}" if (path.parent / "__init__.py").is_file() else path.stem


def page_texts(path):
    """Texts in _() of a template or a script of the report."""
    found = re.findall(PAGE_TEXT[path.suffix], path.read_text(encoding="utf-8"))
    return {(REPORT, text) for text in found}


def form_texts(path):
    """Strings of a .ui file that its loader translates: all but those marked notr."""
    root = ET.parse(path).getroot()
    lists_left_out = {
        string for each in root.iter("stringlist") if each.get("notr") == "true" for string in each.iter("string")
    }
    strings = (each for each in root.iter("string") if each.get("notr") != "true" and each not in lists_left_out)
    return {(root.findtext("class"), each.text) for each in strings if each.text}


def read(path):
    """{(context, text): (translation, type)} of a .ts file, type "" for a finished one; empty where there is none."""
    if not path.exists():
        return {}
    entries = {}
    for context in ET.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            key = context.findtext("name"), message.findtext("source")
            entries[key] = translation.text or "", translation.get("type", "")
    return entries


def renewed(entries, texts):
    """The entries of a .ts file, brought up to date with the texts of the sources."""
    result = {}
    for key in texts:
        translation, kind = entries.get(key, ("", "unfinished"))
        result[key] = translation, "" if kind == "vanished" and translation else kind
    for key, (translation, _) in entries.items():
        if key not in texts and translation:
            result[key] = translation, "vanished"
    return result


def write(path, language, entries):
    """Write a .ts file as Qt Linguist reads it, sorted, so that a change of a text is a change of a few lines."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en-US")
    contexts = {}
    for (context, text), (translation, kind) in sorted(entries.items()):
        if context not in contexts:
            contexts[context] = ET.SubElement(root, "context")
            ET.SubElement(contexts[context], "name").text = context
        message = ET.SubElement(contexts[context], "message")
        ET.SubElement(message, "source").text = text
        ET.SubElement(message, "translation", {"type": kind} if kind else {}).text = translation
    ET.indent(root, space="    ")
    body = ET.tostring(root, encoding="unicode", short_empty_elements=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{body}\n', encoding="utf-8", newline="\n")


def problems(entries, texts):
    """Lines on what keeps a .ts file from being complete and usable."""
    lines = [f"{context}: not in the file: {text!r}" for context, text in sorted(texts - entries.keys())]
    for (context, text), (translation, kind) in sorted(entries.items()):
        if (context, text) not in texts:
            lines.append(f"{context}: in no source any more: {text!r}")
        elif kind or not translation:
            lines.append(f"{context}: {kind or 'empty'}: {text!r}")
        elif placeholders(text) != placeholders(translation):
            lines.append(f"{context}: other placeholders than in the source: {translation!r}")
    return lines


def placeholders(text):
    """Replacement fields of a format string with their formats; slicer.i18n refuses a translation with others."""
    return sorted(re.findall(r"(?<!\{)\{([^{}]+)\}(?!\})", text))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    check = parser.parse_args(arguments).check
    found = 0
    for module in MODULES:
        texts = texts_of(module)
        for language in LANGUAGES:
            path = ts_path(module, language)
            entries = read(path)
            if not check:
                entries = renewed(entries, texts)
                write(path, language, entries)
            lines = problems(entries, texts)
            found += len(lines)
            print(f"{path.name}: {len(entries)} entries, {len(lines)} to be translated or mended")
            for line in lines:
                print(f"  {line}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
