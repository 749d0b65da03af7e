"""What all sections have in common: each shows one result at a time, and follows it."""


class Section:
    """A part of the panel about one result; its ``widget`` is made by the subclass."""

    def __init__(self):
        self._workspace = None

    def show(self, workspace):
        """:param workspace: of the result that is shown, also again after it was replaced; None for none."""
        if workspace is not self._workspace:
            self._forget()
            self._workspace = workspace
            if workspace is not None:
                self._follow()

    def enter(self):
        """The module is shown."""

    def leave(self):
        """The module is left: no key, no preview of ours stays active."""

    def cleanup(self):
        """Nothing may call this object any more."""
        self._forget()

    @property
    def _isThere(self):
        """Whether a result is shown, and still in the scene."""
        return self._workspace is not None and self._workspace.node.GetScene() is not None

    def _forget(self):
        """Let go of the result that was shown, if any."""
        if self._workspace is not None:
            self._unfollow()
            self._workspace = None

    def _follow(self):
        self._workspace.subscribe(self._onChanges)

    def _unfollow(self):
        self._workspace.unsubscribe(self._onChanges)

    def _onChanges(self, changes):
        """Segments or their statuses changed."""
