"""The table of lesions: what each measures, and the way to it."""

import qt
import slicer

from ...scene.nodes.later import Later
from ...scene.nodes.one_change import oneRendering
from ...scene.nodes.segment_looks import endIsolation, giveBack, isIsolating, isolate
from ...scene.tools.diameter_lines import hideDiameters, showDiameters, showsDiameters
from ...scene.tools.lesion_looks import showLesionLooks, shownColor
from ...scene.tools.lesion_rows import LesionRows
from ...scene.tools.navigation import jumpTo, lesionPosition
from ...scene.workspace.review import ACCEPTED, FLAGGED, REJECTED
from ..section import Section
from ..widgets import loadForm, signalsBlocked
from .lesion_columns import COLUMNS, TEXT_COLUMNS, colorIcon, detailText, totalsText
from .review_bar import ReviewBar

ROW_PIXELS = 24
HEADER_PIXELS = 40
ROWS_SHOWN = 8
VERDICT_COLUMN, VERDICT_PIXELS = 1, 34
VERDICT_KEYS = {"Ctrl+Shift+A": ACCEPTED, "Ctrl+Shift+R": REJECTED, "Ctrl+Shift+F": FLAGGED}
NAME_PIXELS = 80
"""A longer name is cut; the line below the table has all of it."""


class LesionTableSection(Section):
    """Lists the lesions of one result, with their measures as the segments are now.

    A lesion that is clicked on, or gone to by a key, is shown in all views.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    def __init__(self, callLater):
        super().__init__()
        self._measuring = Later(callLater, self._measureSome)
        self._rows = None
        self._present = self._shown = []
        self._selectedId, self._selectedIds = "", []
        self.selectionCallbacks = []
        self._filling = False
        self._shortcuts = {}
        self._sort, self._descending = 0, False
        self._looks = False
        self.widget, self.ui = loadForm("LiverLesionTable.ui")
        self.review = ReviewBar(self.selectedId, self.select, self._confidence)
        self.widget.layout().addWidget(self.review.widget)
        table = self.ui.lesionTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels([heading() for heading, _toolTip, _value, _text in COLUMNS])
        for column, (_heading, toolTip, _value, _text) in enumerate(COLUMNS):
            table.horizontalHeaderItem(column).setToolTip(toolTip())
        table.verticalHeader().setDefaultSectionSize(ROW_PIXELS)
        header = table.horizontalHeader()
        for column in range(1, len(COLUMNS)):  # always as wide as there is room
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(VERDICT_COLUMN, qt.QHeaderView.Fixed)
        table.setColumnWidth(VERDICT_COLUMN, VERDICT_PIXELS)
        header.setFixedHeight(HEADER_PIXELS)
        table.setHorizontalScrollBarPolicy(qt.Qt.ScrollBarAlwaysOff)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setHighlightSections(False)
        header.connect("sectionClicked(int)", self._onHeading)
        table.connect("itemSelectionChanged()", self._onSelected)
        # A click on the lesion that is selected already goes there again.
        table.connect("cellClicked(int,int)", lambda _row, _column: self._goToSelected())
        self.ui.previousLesionButton.connect("clicked(bool)", lambda: self.step(-1))
        self.ui.nextLesionButton.connect("clicked(bool)", lambda: self.step(1))
        self.ui.isolateCheckBox.connect("toggled(bool)", self._onIsolate)
        self.ui.diametersCheckBox.connect("toggled(bool)", self._onDiameters)

    def show(self, workspace):
        super().show(workspace)
        self.review.show(workspace)
        self._update()

    def enter(self):
        """The module is shown: its keys work in the views too."""
        if not self._shortcuts:
            parent = slicer.util.mainWindow() or self.widget
            # Alt with a letter opens a menu, in some language or other; a key without Ctrl or Alt is the views'.
            for key, function in (
                ("Alt+Up", lambda: self.step(-1)),
                ("Alt+Down", lambda: self.step(1)),
                ("Ctrl+Shift+N", self.review.next),
                *((key, lambda verdict=verdict: self.review.toggle(verdict)) for key, verdict in VERDICT_KEYS.items()),
            ):
                shortcut = qt.QShortcut(qt.QKeySequence(key), parent)
                shortcut.connect("activated()", function)
                self._shortcuts[key] = shortcut

    def leave(self):
        """The module is left: its keys are free for others, and the segments look as they did."""
        self.showLooks(False)
        for shortcut in self._shortcuts.values():
            shortcut.enabled = False
            shortcut.deleteLater()
        self._shortcuts = {}

    def enableVerdicts(self, on):
        """Let keys give verdicts, or not."""
        for key in VERDICT_KEYS:
            if key in self._shortcuts:
                self._shortcuts[key].enabled = on

    def showLooks(self, on):
        """Show verdicts, doubt and the selected lesion in the views, or the segments as they look elsewhere."""
        self._looks = on
        self._showLooks()

    def _showLooks(self):
        if not self._isThere:
            return
        if self._looks:
            showLesionLooks(self._workspace, self._present, self._selectedId)
        else:
            giveBack(self._workspace.node)

    def selectedId(self) -> str:
        """ID of the selected lesion's segment; empty for none."""
        return self._selectedId

    def selectedIds(self) -> list[str]:
        """IDs of all selected lesions' segments: of one, unless the person selected several rows."""
        return list(self._selectedIds)

    @oneRendering()
    def select(self, segmentId):
        """Select a lesion and go to it."""
        self._setSelected([segmentId])
        self._update()
        self._showLooks()
        self._goToSelected()

    def _setSelected(self, segmentIds, currentId=""):
        """:param currentId: of these, the one that is shown and reviewed; the first if not given."""
        self._selectedIds = segmentIds
        self._selectedId = currentId or (segmentIds[0] if segmentIds else "")
        for callback in list(self.selectionCallbacks):
            callback()

    def step(self, by):
        """Go to the next (1) or the previous (-1) lesion in the table's order; from the last to the first."""
        ids = [row.segmentId for row in self._present]
        if not ids:
            return
        if self._selectedId in ids:
            self.select(ids[(ids.index(self._selectedId) + by) % len(ids)])
        else:
            self.select(ids[0 if by > 0 else -1])

    def cleanup(self):
        self.leave()
        super().cleanup()
        self.review.cleanup()

    def _follow(self):
        self._rows = self._workspace.tool(LesionRows)
        self._rows.subscribe(self._update)

    def _unfollow(self):
        self._rows.unsubscribe(self._update)
        self._measuring.cancel()
        if self._isThere:
            giveBack(self._workspace.node)
        self._rows = None

    def _forget(self):
        super()._forget()
        self._setSelected([])

    def _row(self, segmentId):
        """None where there is none."""
        return next((row for row in self._present if row.segmentId == segmentId), None)

    def _confidence(self, segmentId):
        row = self._row(segmentId)
        return row.measures.confidence if row is not None and row.measures is not None else None

    # -- showing

    def _update(self):
        """Show the rows as far as they are measured."""
        if self._workspace is not None and not self._isThere:
            self._forget()
        self._present = self._rows.present() if self._rows is not None else []
        self._sortRows()
        ids = [row.segmentId for row in self._present]
        if any(each not in ids for each in self._selectedIds):
            self._setSelected([each for each in self._selectedIds if each in ids])
        self._fill()
        if self._rows is not None:
            self._measuring.ask() if self._rows.pending() else self._showLooks()
        self.ui.totalsLabel.text = totalsText(self._rows.totals()) if self._rows is not None else ""
        self._showToggles()
        self.review.update()

    def _measureSome(self):
        if self._isThere:
            self._rows.measureSome()
            self._update()

    def _sortRows(self):
        value = COLUMNS[self._sort][2]
        known = [row for row in self._present if value(row) is not None]
        known.sort(key=lambda row: row.number)
        known.sort(key=value, reverse=self._descending)
        self._present = known + [row for row in self._present if value(row) is None]

    def _fill(self):
        table = self.ui.lesionTable
        self._filling = True
        try:
            table.horizontalHeader().setSortIndicator(
                self._sort, qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
            )
            if table.rowCount != len(self._present):
                table.setRowCount(len(self._present))
            # To translate and set all texts of many lesions takes a moment: only of rows that are not up to date.
            shown, self._shown = self._shown, self._present
            new = [n for n, row in enumerate(self._present) if n >= len(shown) or shown[n] != row]
            for index in new:
                self._fillRow(index, self._present[index])
            if new:
                table.resizeColumnToContents(0)
                table.setColumnWidth(0, min(table.columnWidth(0), NAME_PIXELS))
            visible = min(max(len(self._present), 1), ROWS_SHOWN)
            table.setFixedHeight(HEADER_PIXELS + ROW_PIXELS * visible + 2 * table.frameWidth)
            selected = [index for index, row in enumerate(self._present) if row.segmentId in self._selectedIds]
            if not selected:
                table.clearSelection()
            elif selected != sorted(index.row() for index in table.selectionModel().selectedRows()):
                # Rows were sorted anew, or others are there: of several, only the one that is shown stays selected.
                self._setSelected([self._selectedId])
                table.selectRow(next(n for n, row in enumerate(self._present) if row.segmentId == self._selectedId))
        finally:
            self._filling = False

    def _fillRow(self, index, row):
        table, detail = self.ui.lesionTable, detailText(row)
        for column, (_heading, _toolTip, _value, text) in enumerate(COLUMNS):
            item = table.item(index, column)
            if item is None:
                item = qt.QTableWidgetItem()
                table.setItem(index, column, item)
                side = qt.Qt.AlignLeft if column in TEXT_COLUMNS else qt.Qt.AlignRight
                item.setTextAlignment(side | qt.Qt.AlignVCenter)
            item.setText(text(row))
            item.setToolTip(detail)
            font = item.font()
            font.setStrikeOut(row.status == REJECTED)
            item.setFont(font)
            if column == 0:
                item.setIcon(colorIcon(shownColor(row)))

    def _showToggles(self):
        workspace = self._workspace
        selected = self._row(self._selectedId)
        self.ui.detailLabel.text = detailText(selected) if selected is not None else ""
        some = bool(self._present)
        for button in (self.ui.previousLesionButton, self.ui.nextLesionButton, self.ui.diametersCheckBox):
            button.enabled = some
        isolating = workspace is not None and isIsolating(workspace.node)
        diameters = workspace is not None and showsDiameters(workspace)
        self.ui.isolateCheckBox.enabled = isolating or bool(self._selectedId)
        for box, checked in ((self.ui.isolateCheckBox, isolating), (self.ui.diametersCheckBox, diameters)):
            with signalsBlocked(box):
                box.checked = checked
        if diameters and not self._rows.pending():
            self._drawDiameters()

    # -- what a person does

    def _onHeading(self, column):
        self._descending = column == self._sort and not self._descending
        self._sort = column
        self._update()

    @oneRendering()
    def _onSelected(self):
        """By mouse or arrow keys."""
        if self._filling:
            return
        rows = [index.row() for index in self.ui.lesionTable.selectionModel().selectedRows()]
        ids = {row: self._present[row].segmentId for row in sorted(rows) if row < len(self._present)}
        self._setSelected(list(ids.values()), ids.get(self.ui.lesionTable.currentRow(), ""))
        self._showLooks()
        self._showToggles()
        self.review.update()
        self._goToSelected()

    @oneRendering()
    def _goToSelected(self):
        row = self._row(self._selectedId)
        if row is None:
            return
        if row.measures is not None:
            jumpTo(self._workspace.node.GetScene(), lesionPosition(row.measures))
        if isIsolating(self._workspace.node):
            self._isolate(row.segmentId)
            if showsDiameters(self._workspace):
                self._drawDiameters()

    @oneRendering()
    def _onIsolate(self, on):
        if self._workspace is None:
            return
        if on and self._selectedId:
            self._isolate(self._selectedId)
        else:
            endIsolation(self._workspace.node)
        self._showToggles()

    def _isolate(self, segmentId):
        isolate(self._workspace.node, self._workspace.lesionIds(), segmentId)

    def _drawDiameters(self):
        """Of all lesions, or of the one that is shown alone."""
        only = self._selectedId if isIsolating(self._workspace.node) else None
        showDiameters(self._workspace, self._rows.rows(), only or None)

    @oneRendering()
    def _onDiameters(self, on):
        if self._workspace is None:
            return
        if on:
            self._drawDiameters()
        else:
            hideDiameters(self._workspace)
        self._update()
