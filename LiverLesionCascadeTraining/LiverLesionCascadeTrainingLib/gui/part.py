"""What the parts of the panel have in common."""


class Part:
    """Follows a parameter node, and one command at most that runs for it beside Slicer.

    A part has ``update()``, called after every change of the parameters, and ``_onEnded(succeeded, output, error)``.

    :param ui: the panel's widgets.
    :param launch: (command) -> BackgroundCommand.
    """

    def __init__(self, ui, launch):
        self.ui, self._launch = ui, launch
        self._parameters = self._command = None

    def setParameters(self, parameters):
        """Follow a parameter node; None while there is none."""
        self._parameters = parameters
        self.update()

    @property
    def busy(self):
        """Whether there is something to follow even while another module is open."""
        return self._command is not None

    def poll(self):
        """To be called every second."""
        if self._command is not None and self._command.ended:
            ended = self._command.succeeded, self._command.output, self._command.error
            self.close()
            self._onEnded(*ended)

    def close(self):
        """End the command if it is at work."""
        if self._command is not None:
            self._command.close()
            self._command = None
