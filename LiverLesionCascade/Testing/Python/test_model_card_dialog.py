"""The window with a bundle's model card."""

import pytest
import slicer_harness

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle  # noqa: E402
from LiverLesionCascadeLib.gui.panel.model_card_dialog import showModelCard  # noqa: E402


@pytest.fixture
def show():
    shown = []

    def open_card(folder):
        dialog = showModelCard(folder)
        shown.append(dialog)
        return dialog, slicer.util.findChild(dialog, "modelCard").plainText

    yield open_card
    for dialog in shown:
        dialog.close()
    slicer.app.processEvents()


def test_the_shipped_bundle_s_card_is_shown_as_text_not_as_markdown(show):
    dialog, text = show(ModelBundle.shipped().folder)
    assert dialog.visible and not dialog.modal
    assert "lits-compact" in dialog.windowTitle
    assert "Training" in text and "Limitations" in text and "CC-BY-SA" in text
    assert "##" not in text and "| ---" not in text


def test_a_bundle_without_a_card_is_said_to_have_none(show, tmp_path):
    _dialog, text = show(tmp_path / "mein Modell ü")
    assert text == f"The bundle in {tmp_path / 'mein Modell ü'} has no model card."


def test_a_card_that_cannot_be_read_is_said(show, tmp_path):
    (tmp_path / "MODEL_CARD.md").write_bytes(b"\xff\xfe\xff")
    _dialog, text = show(tmp_path)
    assert "MODEL_CARD.md cannot be read" in text


def test_pictures_of_a_card_are_found_beside_it(show, tmp_path):
    (tmp_path / "MODEL_CARD.md").write_text("![plot](plot.png)")
    (tmp_path / "plot.png").write_bytes(b"picture")
    dialog, _text = show(tmp_path)
    browser = slicer.util.findChild(dialog, "modelCard")
    found = browser.loadResource(qt.QTextDocument.ImageResource, qt.QUrl("plot.png"))
    assert bytes(found) == b"picture"


def test_the_close_button_closes_the_window(show, tmp_path):
    dialog, _text = show(tmp_path)
    buttons = next(child for child in dialog.children() if isinstance(child, qt.QDialogButtonBox))
    buttons.button(qt.QDialogButtonBox.Close).click()
    assert not dialog.visible
