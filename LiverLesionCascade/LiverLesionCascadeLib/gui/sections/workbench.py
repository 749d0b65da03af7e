"""What a person does with a result, in sections one below the other."""

from ..lesions.lesion_table import LesionTableSection
from .dividing_section import DividingSection
from .follow_up_section import FollowUpSection
from .refine_section import RefineSection
from .report_section import ReportSection
from .threshold_section import ThresholdSection


class Workbench:
    """Shows the sections of one result.

    A section has a ``widget``, ``show(workspace)``, which is called with the Workspace of the result that is shown or
    None, again after it was replaced, and ``cleanup()``, after which nothing may call it any more. It may have
    ``enter()`` and ``leave()``, for when the module is shown and left. All but the lesions are collapsed until somebody
    opens them.

    :param tableLayout: of the widget that gets the table of lesions.
    :param sectionsLayout: of the widget that gets the other sections.
    :param callLater: (seconds, function): the event loop calls the function once, later.
    :param refine: starts to refine a segmentation node; see `RefineSection`.
    """

    def __init__(self, tableLayout, sectionsLayout, callLater, refine):
        self.lesions = LesionTableSection(callLater)
        self.refine = RefineSection(refine)
        self.sections = [
            self.lesions,
            DividingSection(callLater, self.lesions),
            ThresholdSection(callLater),
            self.refine,
            FollowUpSection(callLater),
            ReportSection(callLater),
        ]
        tableLayout.addWidget(self.lesions.widget)
        for section in self.sections[1:]:
            sectionsLayout.addWidget(section.widget)

    def show(self, workspace):
        """:param workspace: of the result that is shown; None for none."""
        for section in self.sections:
            section.show(workspace)

    def enter(self):
        """The module is shown."""
        self._each("enter")

    def leave(self):
        """The module is left: no key, no preview of ours stays active."""
        self._each("leave")

    def cleanup(self):
        for section in self.sections:
            section.cleanup()

    def _each(self, name):
        for section in self.sections:
            if hasattr(section, name):
                getattr(section, name)()
