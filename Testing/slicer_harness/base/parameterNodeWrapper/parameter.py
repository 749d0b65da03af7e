"""One member of a wrapper or a pack: its type, default, checks and text in the node."""

import dataclasses
import enum
import json
import pathlib
import types
import typing

import slicer

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
    """:param name: as it is stored; "pack.member" for a member of a pack in a node."""

    def __init__(self, name, annotation, default):
        self.name, self.annotation, self.notes = name, annotation, []
        if typing.get_origin(annotation) is typing.Annotated:
            annotation, *self.notes = typing.get_args(annotation)
        self.type = annotation
        self.nodeTypes = self._nodeTypes(annotation)
        self.isList = typing.get_origin(annotation) is list
        self.isPack = hasattr(annotation, "packParameters")
        plain = isinstance(annotation, type) and issubclass(annotation, PLAIN_TYPES)
        if not (self.nodeTypes or self.isList or self.isPack or plain):
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
        if self.isPack:
            return self.type()
        return next(iter(self.type)) if issubclass(self.type, enum.Enum) else self.type()

    def check(self, value):
        """The value as it is stored, or TypeError or ValueError."""
        if self.nodeTypes:
            if value is not None and not isinstance(value, self.nodeTypes):
                raise TypeError(f"{self.name} must be one of {self.nodeTypes}")
            return value
        if self.isList:
            return list(value)
        if self.isPack:
            if not isinstance(value, self.type):
                raise ValueError(f"{self.name} must be a {self.type.__name__}")
            return value
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

    def inPack(self, packName):
        """The same member as a parameter of a node that holds the pack."""
        return Parameter(f"{packName}.{self.name}", self.annotation, self.default)

    def isIn(self, node):
        if self.nodeTypes:
            return node.GetNodeReferenceID(self.name) is not None
        return node.HasParameter(self.name)

    def read(self, node):
        """The value in a vtkMRMLScriptedModuleNode."""
        if self.nodeTypes:
            return node.GetNodeReference(self.name)
        return self.fromText(node.GetParameter(self.name)) if self.isIn(node) else self.default

    def write(self, node, value):
        value = self.check(value)
        if self.nodeTypes:
            node.SetNodeReferenceID(self.name, None if value is None else value.GetID())
        else:
            node.SetParameter(self.name, self.toText(value))


def parametersOf(cls):
    """{name: Parameter} of the annotated members of a class."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        name: Parameter(name, annotation, cls.__dict__.get(name, dataclasses.MISSING))
        for name, annotation in hints.items()
    }
