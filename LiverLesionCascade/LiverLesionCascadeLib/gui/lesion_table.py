"""The table of lesions: what each measures, and the way to it."""

import slicer


class LesionTableSection:
    """Lists the lesions of one result, with their measures as the segments are now.

    :param callLater: (seconds, function): the event loop calls the function once, later.
    """

    def __init__(self, callLater):
        self._callLater = callLater
        self.widget = slicer.qMRMLWidget()

    def show(self, workspace):
        """:param workspace: of the result that is shown; None for none."""

    def selectedId(self) -> str:
        """ID of the selected lesion's segment; empty for none."""
        return ""

    def select(self, segmentId):
        """Select a lesion and go to it."""

    def cleanup(self):
        pass
