"""``slicer.parameterNodeWrapper``, the documented part that panels use.

Members: bool, int, float, str, Enum, pathlib.Path, lists of those, MRML nodes (``Node`` or ``Node | None``). Annotated
with WithinRange, Minimum, Maximum, Choice, Default. ``connectGui`` by the dynamic property SlicerParameterName.
"""

import dataclasses
import enum
import json
import pathlib
import types
import typing

import slicer
import vtk

from .gui import GuiLink, widgetsByParameter

__all__ = [
    "Choice",
    "Default",
    "Maximum",
    "Minimum",
    "WithinRange",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

PLAIN_TYPES = (bool, int, float, str, enum.Enum, pathlib.PurePath)


@dataclasses.dataclass
class WithinRange:
    minimum: float
    maximum: float

    def validate(self, value):
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], not {value}")


@dataclasses.dataclass
class Minimum:
    minimum: float

    def validate(self, value):
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, not {value}")


@dataclasses.dataclass
class Maximum:
    maximum: float

    def validate(self, value):
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, not {value}")


@dataclasses.dataclass
class Choice:
    choices: list

    def validate(self, value):
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, not {value!r}")


@dataclasses.dataclass
class Default:
    value: typing.Any


class Parameter:
    """One member of a wrapper: its type, default and checks."""

    def __init__(self, name, annotation, default):
        self.name, self.notes = name, []
        if typing.get_origin(annotation) is typing.Annotated:
            annotation, *self.notes = typing.get_args(annotation)
        self.type = annotation
        self.nodeTypes = self._nodeTypes(annotation)
        self.isList = typing.get_origin(annotation) is list
        plain = isinstance(annotation, type) and issubclass(annotation, PLAIN_TYPES)
        if not (self.nodeTypes or self.isList or plain):
            raise TypeError(f"Unable to create serializer for {name}: {annotation}")
        self.default = self._default(default)

    @staticmethod
    def _nodeTypes(annotation):
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            members = [member for member in typing.get_args(annotation) if member is not type(None)]
        else:
            members = [annotation]
        are_nodes = all(isinstance(member, type) and issubclass(member, slicer.vtkMRMLNode) for member in members)
        return tuple(members) if are_nodes else None

    def _default(self, given):
        if given is not dataclasses.MISSING:
            return given
        for note in self.notes:
            if isinstance(note, Default):
                return note.value
        if self.nodeTypes:
            return None
        if self.isList:
            return []
        return next(iter(self.type)) if issubclass(self.type, enum.Enum) else self.type()

    def check(self, value):
        """The value as it is stored, or TypeError or ValueError."""
        if self.nodeTypes:
            if value is not None and not isinstance(value, self.nodeTypes):
                raise TypeError(f"{self.name} must be one of {self.nodeTypes}")
            return value
        if self.isList:
            return list(value)
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.type is pathlib.Path and isinstance(value, str):
            value = pathlib.Path(value)
        if not isinstance(value, self.type):
            raise TypeError(f"{self.name} must be {self.type.__name__}, not {type(value).__name__}")
        for note in self.notes:
            if hasattr(note, "validate"):
                note.validate(value)
        return value

    def toText(self, value):
        if self.isList:
            return json.dumps(value)
        return value.name if isinstance(value, enum.Enum) else str(value)

    def fromText(self, text):
        if self.isList:
            return json.loads(text)
        if self.type is bool:
            return text.lower() == "true"
        return self.type[text] if issubclass(self.type, enum.Enum) else self.type(text)

    def bounds(self):
        low = high = None
        for note in self.notes:
            low, high = getattr(note, "minimum", low), getattr(note, "maximum", high)
        return low, high

    def choices(self):
        for note in self.notes:
            if isinstance(note, Choice):
                return note.choices
        raise RuntimeError(f"{self.name} needs the Choice annotation to be connected to a combo box")


class ParameterNodeWrapper:
    """Base of wrapped classes."""

    allParameters: typing.ClassVar[dict[str, Parameter]] = {}

    def __init__(self, parameterNode, prefix=None):
        self.__dict__["parameterNode"] = parameterNode
        self.__dict__["_connections"] = {}
        for name, parameter in self.allParameters.items():
            if not self._isSet(parameter):
                self.setValue(name, parameter.default)

    def _isSet(self, parameter):
        if parameter.nodeTypes:
            return self.parameterNode.GetNodeReferenceID(parameter.name) is not None
        return self.parameterNode.GetParameter(parameter.name) != ""

    def getValue(self, name):
        parameter = self.allParameters[name]
        if parameter.nodeTypes:
            return self.parameterNode.GetNodeReference(name)
        return (
            parameter.fromText(self.parameterNode.GetParameter(name)) if self._isSet(parameter) else parameter.default
        )

    def setValue(self, name, value):
        parameter = self.allParameters[name]
        value = parameter.check(value)
        if parameter.nodeTypes:
            self.parameterNode.SetNodeReferenceID(name, None if value is None else value.GetID())
        else:
            self.parameterNode.SetParameter(name, parameter.toText(value))

    def default(self, name):
        return Default(self.allParameters[name].default)

    def dataType(self, name):
        return self.allParameters[name].type

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
        for name in widgets:
            if name not in self.allParameters:
                raise ValueError(f"Cannot find a param with the given name: {name}")
        links = [GuiLink(self, self.allParameters[name], widget) for name, widget in widgets.items()]
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
        hints = typing.get_type_hints(cls, include_extras=True)
        parameters = {
            name: Parameter(name, annotation, cls.__dict__.get(name, dataclasses.MISSING))
            for name, annotation in hints.items()
        }
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
