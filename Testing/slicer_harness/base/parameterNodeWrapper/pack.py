"""``parameterPack``: several parameters as one, a member of a wrapper."""

from .parameter import parametersOf


def parameterPack(classtype=None):
    def wrap(cls):
        parameters = parametersOf(cls)
        body = {name: _member(name) for name in parameters}
        own = {key: value for key, value in vars(cls).items() if key not in {"__dict__", "__weakref__", *parameters}}
        return type(cls.__name__, (Pack,), own | body | {"packParameters": parameters})

    return wrap if classtype is None else wrap(classtype)


class Pack:
    """Base of packs: plain values, checked when they are set."""

    packParameters = {}

    def __init__(self, *args, **kwargs):
        self._values = {name: parameter.default for name, parameter in self.packParameters.items()}
        for name, value in (dict(zip(self.packParameters, args, strict=False)) | kwargs).items():
            if name not in self.packParameters:
                raise TypeError(f"__init__() got an unexpected keyword argument '{name}'")
            self.setValue(name, value)

    def getValue(self, name):
        return self._values[name]

    def setValue(self, name, value):
        if name not in self.packParameters:
            raise ValueError(f"{self} has no member '{name}'")
        self._values[name] = self.packParameters[name].check(value)

    @classmethod
    def dataType(cls, name):
        return cls.packParameters[name].annotation

    def __eq__(self, other):
        if not isinstance(other, Pack) or type(other).packParameters is not type(self).packParameters:
            return False
        return all(self.getValue(name) == other.getValue(name) for name in self.packParameters)


def packInNode(packType, node, name):
    """The pack of that name in a node: what is set in it is written to the node."""

    class InNode(packType):
        def __init__(self):
            pass

        def getValue(self, member):
            return self.packParameters[member].inPack(name).read(node)

        def setValue(self, member, value):
            if member not in self.packParameters:
                raise ValueError(f"{packType.__name__} has no member '{member}'")
            self.packParameters[member].inPack(name).write(node, value)

        def __setattr__(self, attribute, value):
            if attribute not in self.packParameters:
                raise AttributeError(f"{packType.__name__} has no attribute '{attribute}'")
            self.setValue(attribute, value)

    return InNode()


def _member(name):
    return property(lambda self: self.getValue(name), lambda self, value: self.setValue(name, value))
