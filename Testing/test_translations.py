"""The texts of both modules in German and French: complete, usable, and shown by Qt."""

import subprocess
from pathlib import Path

import PySide6
import pytest
import slicer_harness
from fakes import panel_fakes
from PySide6 import QtCore
from tools import update_translations as translations

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.gui.lesions.lesion_columns import totalsText  # noqa: E402
from LiverLesionCascadeLib.gui.runs.progress_text import stageText, timeLeftText  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import Totals  # noqa: E402
from LiverLesionCascadeTrainingLib.gui.status_text import durationText  # noqa: E402

FORM = """<ui version="4.0"><class>Form</class><widget class="QWidget"><property name="toolTip"><string>Shown</string>
</property><property name="SlicerParameterName" stdset="0"><string notr="true">name</string></property>
<property name="nodeTypes"><stringlist notr="true"><string>vtkMRMLNode</string></stringlist></property></widget></ui>"""


@pytest.mark.parametrize("language", translations.LANGUAGES)
@pytest.mark.parametrize("module", translations.MODULES)
def test_every_text_is_translated_and_no_translation_is_left_over(module, language):
    path = translations.ts_path(module, language)
    problems = translations.problems(translations.read(path), translations.texts_of(module))
    remedy = f"Run python Testing/tools/update_translations.py, then translate in {path}:"
    assert not problems, "\n".join([remedy, *problems])


@pytest.mark.parametrize("language", translations.LANGUAGES)
@pytest.mark.parametrize("module", translations.MODULES)
def test_renewing_a_file_that_is_up_to_date_changes_nothing(module, language, tmp_path):
    path, copy = translations.ts_path(module, language), tmp_path / "copy.ts"
    entries = translations.renewed(translations.read(path), translations.texts_of(module))
    translations.write(copy, language, entries)
    assert copy.read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


def test_a_text_that_vanishes_is_marked_and_one_that_comes_back_has_its_translation_again():
    here = ("gui.panel", "Segment")
    entries = {here: ("Segmentieren", "")}
    gone = translations.renewed(entries, set())
    assert gone == {here: ("Segmentieren", "vanished")}
    assert translations.renewed(gone, {here}) == entries


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({}, "not in the file"),
        ({("c", "{n} left"): ("", "unfinished")}, "unfinished"),
        ({("c", "{n} left"): ("", "")}, "empty"),
        ({("c", "{n} left"): ("noch {m}", "")}, "other placeholders"),
        ({("c", "{n} left"): ("noch {n:.1f}", "")}, "other placeholders"),
        ({("c", "{n} left"): ("noch {n}", ""), ("c", "old"): ("alt", "vanished")}, "in no source"),
    ],
)
def test_what_keeps_a_file_from_being_usable_is_said(entries, complaint):
    (line,) = translations.problems(entries, {("c", "{n} left")})
    assert complaint in line


def test_strings_of_a_form_that_are_no_texts_are_left_out(tmp_path):
    path = tmp_path / "Form.ui"
    path.write_text(FORM, encoding="utf-8")
    assert translations.form_texts(path) == {("Form", "Shown")}


def test_a_text_that_no_translator_could_find_is_refused(tmp_path):
    path = tmp_path / "script.py"
    path.write_text('_("fine")\n_(f"{name} is done")\n', encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        translations.python_texts(path)


@pytest.fixture
def speak(tmp_path):
    """Function that compiles a language's files as Slicer's language tools do, and has Qt use them."""
    installed = []

    def install(language):
        for module in translations.MODULES:
            compiled = tmp_path / f"{module}_{language}.qm"
            lrelease = Path(PySide6.__file__).parent / "lrelease"
            subprocess.run([lrelease, translations.ts_path(module, language), "-qm", compiled], check=True)
            translator = QtCore.QTranslator()
            assert translator.load(str(compiled))
            assert QtCore.QCoreApplication.installTranslator(translator)
            installed.append(translator)

    yield install
    for translator in installed:
        QtCore.QCoreApplication.removeTranslator(translator)


@pytest.mark.parametrize(
    ("language", "edit", "segment", "stage", "minutes", "half"),
    [
        ("de-DE", "Bearbeiten", "Segmentieren", "Leber wird gesucht", "noch etwa 3 Minuten", "eine halbe Minute"),
        ("fr-FR", "Modifier", "Segmenter", "Recherche du foie", "encore environ 3 minutes", "une demi-minute"),
    ],
)
def test_panel_and_messages_are_in_the_language_of_slicer(speak, language, edit, segment, stage, minutes, half):
    speak(language)
    slicer.mrmlScene.Clear()
    p = panel_fakes.openPanel()
    try:
        assert p.ui.editButton.text == edit
        assert p.ui.segmentButton.text == segment
    finally:
        panel_fakes.closePanel(p)
        slicer.mrmlScene.Clear()
    assert stageText("Liver") == stage
    assert timeLeftText(180) == minutes
    assert durationText(30) == half


@pytest.mark.parametrize(
    ("language", "text"), [("de-DE", "Keine Läsion, Leber 1500 mL"), ("fr-FR", "Aucune lésion, foie 1500 mL")]
)
def test_a_liver_without_a_lesion_is_said_to_have_none(speak, language, text):
    speak(language)
    assert totalsText(Totals(0, 0.0, 1500.0, 1500.0, 0, 0)).startswith(text)


def test_counts_in_french_agree_with_any_number():
    texts = translations.read(translations.ts_path("LiverLesionCascade", "fr-FR"))
    counts = [key for key in texts if key[0] == "sections.follow_up_section" and key[1].startswith("{count}")]
    assert len(counts) == 5
    assert all(texts[key][0].endswith(" : {count}") for key in counts)
