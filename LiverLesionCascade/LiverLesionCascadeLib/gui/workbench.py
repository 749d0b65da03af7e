"""What a person does with a result, in sections one below the other: lesions, threshold, refining, report, follow-up."""

from .lesion_table import LesionTableSection


class Workbench:
    """Shows the sections of one result.

    A section has a ``widget``, ``show(workspace)``, which is called with the Workspace of the result that is shown or
    None, again after it was replaced, and ``cleanup()``, after which nothing may call it any more. All but the lesions
    are collapsed until somebody opens them.

    :param layout: of the widget that gets the sections.
    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    def __init__(self, layout, callLater):
        self.lesions = LesionTableSection(callLater)
        self.sections = [self.lesions]
        for section in self.sections:
            layout.addWidget(section.widget)

    def show(self, workspace):
        """:param workspace: of the result that is shown; None for none."""
        for section in self.sections:
            section.show(workspace)

    def cleanup(self):
        for section in self.sections:
            section.cleanup()
