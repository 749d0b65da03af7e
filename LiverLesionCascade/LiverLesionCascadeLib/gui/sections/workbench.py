"""What a person does with a result, in sections one below the other."""

from ..lesions.lesion_table import LesionTableSection
from .dividing_section import DividingSection
from .follow_up_section import FollowUpSection
from .refine_section import RefineSection
from .report_section import ReportSection
from .threshold_section import ThresholdSection


class Workbench:
    """Shows the sections of one result: what each `Section` does, all of them do. All but the lesions are collapsed
    until somebody opens them.

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
        for section in self.sections:
            section.show(workspace)

    def enter(self):
        for section in self.sections:
            section.enter()

    def leave(self):
        for section in self.sections:
            section.leave()

    def cleanup(self):
        for section in self.sections:
            section.cleanup()
