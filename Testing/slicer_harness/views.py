"""Slicer's views without windows: the real displayable managers, and how often they ask for a rendering.

In the application a request renders at once where the last rendering is long enough ago, which it is in software
rendering: each counts. Within ``slicer.util.RenderBlocker`` requests wait, and a view that was asked renders once.
"""

import contextlib

import slicer
import vtk

SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)
VIEW_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)
_open = []
"""Views that are shown now."""
_paused = 0
_factories = []


class View:
    """One view; ``renderings`` were made, one more ``waits`` until rendering goes on."""

    def __init__(self, node, factory):
        self.name, self.renderings, self.waits = node.GetLayoutName(), 0, False
        self._window, self._renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
        self._window.SetOffScreenRendering(1)
        self._window.SetSize(400, 400)
        self._window.AddRenderer(self._renderer)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._group = factory.InstantiateDisplayableManagers(self._renderer)
        self._group.SetMRMLDisplayableNode(node)
        self._tag = self._group.AddObserver(vtk.vtkCommand.UpdateEvent, lambda *_: self.request())

    def request(self):
        """``scheduleRender`` of the view."""
        if _paused:
            self.waits = True
        else:
            self.renderings += 1

    def resume(self):
        if self.waits:
            self.waits = False
            self.renderings += 1

    def picture(self, path):
        """Write what the view shows to a PNG file."""
        self._window.Render()
        grabber, writer = vtk.vtkWindowToImageFilter(), vtk.vtkPNGWriter()
        grabber.SetInput(self._window)
        grabber.ReadFrontBufferOff()
        writer.SetInputConnection(grabber.GetOutputPort())
        writer.SetFileName(str(path))
        writer.Write()

    def close(self):
        self._group.RemoveObserver(self._tag)
        self._group.SetMRMLDisplayableNode(None)


class Renderings:
    """Of the views that are shown, by view; ``of(action)`` counts those of one action, and what follows it."""

    def __init__(self, views):
        self.views = views

    def __getitem__(self, name):
        return next(view for view in self.views if view.name == name)

    def of(self, action):
        """Renderings by view of a call."""
        before = {view.name: view.renderings for view in self.views}
        action()
        return {view.name: view.renderings - before[view.name] for view in self.views}


@contextlib.contextmanager
def shown():
    """Three slice views and a 3D view on the scene; gives their :class:`Renderings`."""
    slices, three_d = _display_factories()
    nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
    views = [View(node, slices) for node in nodes]
    views += [View(node, three_d) for node in slicer.util.getNodesByClass("vtkMRMLViewNode")]
    _open.extend(views)
    try:
        yield Renderings(views)
    finally:
        for view in views:
            _open.remove(view)
            view.close()


def pause():
    """``slicer.app.pauseRender()``."""
    global _paused
    _paused += 1


def resume():
    """``slicer.app.resumeRender()``, once for each pause."""
    global _paused
    if not _paused:
        raise RuntimeError("resumeRender() without pauseRender()")
    _paused -= 1
    if not _paused:
        for view in _open:
            view.resume()


def paused():
    """Whether rendering is paused now; still so after an action, it is a mistake."""
    return _paused > 0


def _display_factories():
    if not _factories:
        for kind, managers in (("Slice", SLICE_MANAGERS), ("ThreeD", VIEW_MANAGERS)):
            factory = getattr(slicer, f"vtkMRML{kind}ViewDisplayableManagerFactory").GetInstance()
            factory.SetMRMLApplicationLogic(slicer.app.applicationLogic())
            for name in managers:
                if not factory.RegisterDisplayableManager(name):
                    raise RuntimeError(f"slicer-core has no {name}")
            _factories.append(factory)
    return _factories
