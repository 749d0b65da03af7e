"""The choice of the device that a run is computed on."""

from slicer.i18n import tr as _

from ..widgets import fillComboBox, showText


class DeviceChoice:
    """A combo box with the devices that this computer has, and a line on a GPU that cannot be used.

    A scene can name a device that is not here: it stays chosen, and says so.

    :param comboBox: QComboBox.
    :param noteLabel: QLabel; hidden without a note.
    :param onChosen: called with the device's ID when the user chooses another.
    """

    def __init__(self, comboBox, noteLabel, onChosen):
        self._comboBox, self._noteLabel, self._onChosen = comboBox, noteLabel, onChosen
        self._devices = []
        self._chosen = "auto"
        comboBox.connect("currentIndexChanged(int)", self._onIndexChanged)
        self.setDevices([], "")

    def setDevices(self, devices, note):
        """:param devices: DeviceInfo of the worker; none where they are not known yet."""
        self._devices = devices
        showText(self._noteLabel, note)
        self._fill()

    def show(self, device):
        """Choose a device, as a scene or a script says."""
        if device != self._chosen:
            self._chosen = device
            self._fill()

    def _fill(self):
        items = [(_("Automatic"), "auto")]
        for device in self._devices:
            name = device.name if device.usable else _("{device} (cannot be used)").format(device=device.name)
            items.append((name, device.id))
        if not self._devices:
            items.append((_("Processor (CPU)"), "cpu"))
        if self._chosen not in [identifier for _name, identifier in items]:
            text = _("{device} (not on this computer)") if self._devices else "{device}"
            items.append((text.format(device=self._chosen), self._chosen))
        fillComboBox(self._comboBox, items, self._chosen)

    def _onIndexChanged(self, index):
        self._chosen = self._comboBox.itemData(index)
        self._onChosen(self._chosen)
