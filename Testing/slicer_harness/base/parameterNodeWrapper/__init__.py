"""``slicer.parameterNodeWrapper``, the documented part that panels use.

Members: bool, int, float, str, Enum, pathlib.Path, lists of those, MRML nodes (``Node`` or ``Node | None``), packs.
Annotated with WithinRange, Minimum, Maximum, Choice, Default. ``connectGui`` by the dynamic property
SlicerParameterName, which is "pack.member" for a member of a pack.
"""

import typing

import vtk

from .gui import GuiLink, widgetsByParameter
from .pack import packInNode, parameterPack
from .parameter import Choice, Default, Maximum, Minimum, Parameter, WithinRange, parametersOf

__all__ = [
    "Choice",
    "Default",
    "Maximum",
    "Minimum",
    "WithinRange",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
    "parameterPack",
]


class ParameterNodeWrapper:
    """Base of wrapped classes."""

    allParameters: typing.ClassVar[dict[str, Parameter]] = {}

    def __init__(self, parameterNode, prefix=None):
        self.__dict__["parameterNode"] = parameterNode
        self.__dict__["_connections"] = {}
        for name, parameter in self.allParameters.items():
            if parameter.isPack:
                for member in parameter.type.packParameters.values():
                    stored = member.inPack(name)
                    if not stored.isIn(parameterNode):
                        stored.write(parameterNode, parameter.default.getValue(member.name))
            elif not parameter.isIn(parameterNode):
                parameter.write(parameterNode, parameter.default)

    def _parameter(self, name):
        """The Parameter of "name" or "pack.member"."""
        top, _, member = name.partition(".")
        if top not in self.allParameters or (member and not self.allParameters[top].isPack):
            raise ValueError(f"Cannot find a param with the given name: {name}")
        parameter = self.allParameters[top]
        if not member:
            return parameter
        if member not in parameter.type.packParameters:
            raise ValueError(f"{parameter.type} has no member '{member}'")
        return parameter.type.packParameters[member].inPack(top)

    def getValue(self, name):
        parameter = self._parameter(name)
        if parameter.isPack:
            return packInNode(parameter.type, self.parameterNode, name)
        return parameter.read(self.parameterNode)

    def setValue(self, name, value):
        parameter = self._parameter(name)
        if not parameter.isPack:
            parameter.write(self.parameterNode, value)
            return
        wasModifying = self.StartModify()
        try:
            for member in parameter.type.packParameters.values():
                member.inPack(name).write(self.parameterNode, value.getValue(member.name))
        finally:
            self.EndModify(wasModifying)

    def default(self, name):
        return Default(self._parameter(name).default)

    def dataType(self, name):
        return self._parameter(name).annotation

    # VTK's observation of the wrapper is that of the node.
    def AddObserver(self, *args):
        return self.parameterNode.AddObserver(*args)

    def RemoveObserver(self, tag):
        return self.parameterNode.RemoveObserver(tag)

    def HasObserver(self, *args):
        return self.parameterNode.HasObserver(*args)

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModifying):
        return self.parameterNode.EndModify(wasModifying)

    def connectGui(self, gui):
        widgets = widgetsByParameter(gui)
        links = [GuiLink(self, self._parameter(name), widget) for name, widget in widgets.items()]
        observer = self.parameterNode.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda *_: [link.toGui() for link in links]
        )
        for link in links:
            link.toGui()
            link.connect()
        tag = object()
        self._connections[tag] = (links, observer)
        return tag

    def disconnectGui(self, tag):
        if tag in self._connections:
            links, observer = self._connections.pop(tag)
            self.parameterNode.RemoveObserver(observer)
            for link in links:
                link.disconnect()


def parameterNodeWrapper(classtype=None):
    def wrap(cls):
        parameters = parametersOf(cls)
        dropped = {"__dict__", "__weakref__", "__annotations__", *parameters}
        body = {key: value for key, value in vars(cls).items() if key not in dropped}
        for name in parameters:
            if hasattr(ParameterNodeWrapper, name):
                raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
            body[name] = _accessor(name)
        body["allParameters"] = parameters
        return type(cls.__name__, (ParameterNodeWrapper,), body)

    return wrap if classtype is None else wrap(classtype)


def _accessor(name):
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))


def isParameterNodeWrapper(value):
    if isinstance(value, type):
        return issubclass(value, ParameterNodeWrapper)
    return isinstance(value, ParameterNodeWrapper)
