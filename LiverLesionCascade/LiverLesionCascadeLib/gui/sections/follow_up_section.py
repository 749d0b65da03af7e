"""The section that compares a result with that of an earlier scan, lesion by lesion."""

from functools import partial
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ...engine.errors import CascadeError
from ...engine.files import write_atomically
from ...engine.measures.lesion_matching import GONE, MATCHED, MERGED, NEW, SPLIT, follow_up_csv
from ...scene.nodes.later import Later
from ...scene.tools.follow_up import LIVERS, SCENE, TRANSFORM, FollowUp
from ...scene.tools.navigation import jumpTo
from ..runs.stepwise import Stepwise
from ..section import Section
from ..widgets import askPath, fillComboBox, loadForm, showText, signalsBlocked, unwritable

UPDATE_SECONDS = 0.3
"""While a person paints, the table follows at this pace."""

EARLIER_COLUMN, LATER_COLUMN = 0, 1


class FollowUpSection(Section):
    """A table of both time points. Which lesion is which is proposed; lists in the rows change it.

    Nothing is compared while the section is collapsed.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param askPath: asks where to write, as that of `widgets` does. A test hands in its own.
    """

    def __init__(self, callLater, askPath=askPath):
        super().__init__()
        self._askPath = partial(askPath, _("Export follow-up table"))
        self._comparison = None
        self._updating = Later(callLater, self._update)
        self._work = Stepwise(callLater, lambda: self._isThere)
        self._earlierList, self._laterList = qt.QComboBox(), qt.QComboBox()
        self.widget, self.ui = loadForm("LiverLesionFollowUp.ui")
        ui = self.ui
        alignments = (
            (_("Shape of the livers (rigid)"), LIVERS),
            (_("Place in the scene"), SCENE),
            (_("Transform"), TRANSFORM),
        )
        fillComboBox(ui.alignmentComboBox, alignments, LIVERS)
        headings = [_("Earlier"), _("Now"), _("Match"), _("Long axis (mm)"), _("Change"), _("Volume (mL)"), _("Change")]
        ui.followUpTable.setColumnCount(len(headings))
        ui.followUpTable.setHorizontalHeaderLabels(headings)
        ui.followUpTable.horizontalHeader().setStretchLastSection(True)
        ui.followUpTable.verticalHeader().hide()
        for selector in (ui.baselineSelector, ui.transformSelector):
            selector.setMRMLScene(slicer.mrmlScene)
        ui.baselineSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onBaseline)
        ui.alignmentComboBox.connect("activated(int)", lambda _index: self._onAlignment())
        ui.transformSelector.connect("currentNodeChanged(vtkMRMLNode*)", lambda _node: self._onAlignment())
        ui.followUpTable.connect("cellClicked(int,int)", self._onRow)
        ui.followUpTable.connect("cellActivated(int,int)", self._onRow)
        ui.proposeMatchesButton.connect("clicked(bool)", lambda _checked: self._followUp.forgetChoices())
        ui.exportFollowUpButton.connect("clicked(bool)", lambda _checked: self._export())
        ui.followUpCollapsibleButton.connect("contentsCollapsed(bool)", lambda _collapsed: self._schedule(0))
        self._fill()

    def show(self, workspace):
        super().show(workspace)
        self._comparison = None
        self._showChoices()
        self._fill()
        self._schedule(0)

    def cleanup(self):
        super().cleanup()
        for selector in (self.ui.baselineSelector, self.ui.transformSelector):
            selector.setMRMLScene(None)

    @property
    def _followUp(self):
        return self._workspace.tool(FollowUp)

    def _follow(self):
        self._followUp.subscribe(self._schedule)

    def _unfollow(self):
        self._followUp.unsubscribe(self._schedule)

    def _forget(self):
        self._work.stop()
        super()._forget()

    def _showChoices(self):
        """Widgets as the scene says."""
        ui, usable = self.ui, self._isThere
        alignment = self._followUp.alignment if usable else LIVERS
        _select(ui.baselineSelector, self._followUp.baselineNode if usable else None)
        _select(ui.transformSelector, self._followUp.transformNode if usable else None)
        ui.alignmentComboBox.setCurrentIndex(ui.alignmentComboBox.findData(alignment))
        for each in (ui.baselineSelector, ui.alignmentComboBox):
            each.enabled = usable
        ui.transformLabel.visible = ui.transformSelector.visible = alignment == TRANSFORM

    def _onBaseline(self, node):
        if not self._isThere or slicer.mrmlScene.IsBatchProcessing():
            return
        try:
            self._followUp.setBaseline(node)
        except CascadeError as error:
            self._showChoices()
            self._say(str(error))

    def _onAlignment(self):
        if self._isThere and not slicer.mrmlScene.IsBatchProcessing():
            alignment = self.ui.alignmentComboBox.itemData(self.ui.alignmentComboBox.currentIndex)
            self._followUp.setAlignment(alignment, self.ui.transformSelector.currentNode())
            self._showChoices()

    def _schedule(self, seconds=UPDATE_SECONDS):
        """However much changes, compare once; never while a list of the table is at work, which goes with its row."""
        if self._isThere and not self.ui.followUpCollapsibleButton.collapsed:
            self._updating.ask(seconds)

    def _update(self):
        """Compare, in pieces between which Slicer goes on; what was compared last stays in the table meanwhile."""
        if self._isThere:
            if self._comparison is None and self._followUp.baselineNode is not None:
                self._say(_("Comparing..."))
            self._work.begin(self._compare(), self._onCompared, lambda problem: self._onCompared(None, problem))

    def _compare(self):
        """Returns the comparison."""
        yield from self._followUp.prepare()
        return self._followUp.compare()

    def _onCompared(self, comparison, problem=""):
        self._comparison = comparison
        self._fill(problem)

    def _say(self, text):
        showText(self.ui.followUpSummaryLabel, text)

    def _fill(self, problem=""):
        """The table as it was compared last."""
        ui, comparison = self.ui, self._comparison
        rows = comparison.table.rows if comparison is not None else ()
        table = ui.followUpTable
        table.setRowCount(0)
        table.setRowCount(len(rows))
        earlier = [(row.before.name, row.before.key) for row in rows if row.before is not None]
        later = [(row.after.name, row.after.key) for row in rows if row.after is not None]
        earlier.sort(key=lambda each: _place(self._followUp.baselineNode, each[1]))
        fillComboBox(self._earlierList, [(_("None: new"), ""), *earlier], "")
        fillComboBox(self._laterList, [(_("None: gone"), ""), *later], "")
        for number, row in enumerate(rows):
            for column, text in enumerate(rowTexts(row)):
                item = qt.QTableWidgetItem(text)
                if column > LATER_COLUMN + 1:
                    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(number, column, item)
            if row.after is not None:
                self._addList(number, EARLIER_COLUMN, self._earlierList, row.before)
            else:
                self._addList(number, LATER_COLUMN, self._laterList, None)
        table.resizeColumnsToContents()
        table.visible = bool(rows)
        self._say(problem or (summaryText(comparison) if comparison is not None else ""))
        ui.exportFollowUpButton.enabled = bool(rows)
        ui.proposeMatchesButton.enabled = bool(rows) and any(row.chosen for row in rows)

    def _addList(self, number, column, lesions, current):
        """A list of the other time point's lesions in a cell; all cells show the same one."""
        box = qt.QComboBox()
        box.setModel(lesions.model())
        box.setCurrentIndex(box.findData(current.key if current is not None else ""))
        box.toolTip = _("Which lesion this is at the other time point. Unless you choose, it is a proposal.")
        box.connect("activated(int)", lambda index: self._onMatch(number, box.itemData(index)))
        self.ui.followUpTable.setCellWidget(number, column, box)

    def _onMatch(self, number, key):
        if not self._isThere or self._comparison is None:
            return
        row = self._comparison.table.rows[number]
        if row.after is not None:
            laterId, earlierId = row.after.key, key or None
        elif key:
            laterId, earlierId = key, row.before.key
        else:
            return
        try:
            self._followUp.choose(laterId, earlierId)
        except LookupError:  # the lesion went away since; the table will say so
            self._schedule()

    def _onRow(self, number, _column):
        if self._isThere and self._comparison is not None and 0 <= number < len(self._comparison.table.rows):
            jumpTo(self._workspace.node.GetScene(), self._followUp.position(self._comparison.table.rows[number]))

    def _export(self):
        if self._comparison is None:
            return
        path = self._askPath(f"{self._workspace.node.GetName()} follow-up.csv", _("Table (*.csv)"), ".csv")
        if not path:
            return
        try:
            write_atomically(Path(path), follow_up_csv(self._comparison.table).encode("utf-8-sig"))
            text = _("Written to {path}.").format(path=path)
        except OSError as error:
            text = unwritable(path, error)
        self._say(summaryText(self._comparison) + "\n" + text)


def rowTexts(row):
    """A row of the table in words, one text a column."""
    words = {
        MATCHED: _("chosen") if row.chosen else _("proposed"),
        NEW: _("new, chosen") if row.chosen else _("new"),
        GONE: _("gone"),
        SPLIT: _("split from {name}"),
        MERGED: _("merged into {name}"),
    }
    return [
        row.before.name if row.before is not None else "",
        row.after.name if row.after is not None else "",
        words[row.state].format(name=row.partner.name if row.partner is not None else ""),
        valuesText(row.long_axis_mm, 1),
        changeText(row.long_axis_mm, 1),
        valuesText(row.volume_ml, 2),
        changeText(row.volume_ml, 2),
    ]


def valuesText(change, decimals):
    """Before and after, a dash for what there is not."""
    return " \u2192 ".join(
        "\u2013" if value is None else f"{value:.{decimals}f}" for value in (change.before, change.after)
    )


def changeText(change, decimals):
    """Difference and percent; empty where there is none."""
    if change.difference is None:
        return ""
    text = f"{change.difference:+.{decimals}f}"
    return text if change.percent is None else f"{text} ({change.percent:+.0f} %)"


def summaryText(comparison):
    """What stands below the table."""
    table = comparison.table
    lines = []
    for title, change, unit, decimals in (
        (_("Sum of long diameters"), table.sum_of_long_axes_mm, "mm", 1),
        (_("Volume of all lesions"), table.volume_ml, "mL", 2),
    ):
        values, difference = valuesText(change, decimals), changeText(change, decimals)
        lines.append(
            _("{title}: {values} {unit}, change {difference}").format(
                title=title, values=values, unit=unit, difference=difference
            )
        )
    counts = (
        (MATCHED, _("{count} matched")),
        (NEW, _("{count} new")),
        (GONE, _("{count} gone")),
        (SPLIT, _("{count} split off")),
        (MERGED, _("{count} merged")),
    )
    lines.append(", ".join(text.format(count=table.count(state)) for state, text in counts if table.count(state)))
    if comparison.fitMm is not None:
        lines.append(
            _("The livers' surfaces lie {distance:.1f} mm apart after alignment (median).").format(
                distance=comparison.fitMm
            )
        )
    if comparison.rejected:
        lines.append(_("Rejected lesions left out: {count}.").format(count=comparison.rejected))
    return "\n".join(line for line in lines if line)


def _place(node, segmentId):
    """Where a segment stands in its node."""
    return node.GetSegmentation().GetSegmentIndex(segmentId) if node is not None else 0


def _select(selector, node):
    """Show a node without telling anybody."""
    with signalsBlocked(selector):
        selector.setCurrentNode(node)
