"""The one error of pricing: a document that cannot be priced, with a JSON Pointer to the fault."""

from typing import Self


class BadInput(ValueError):
    """A document or argument that cannot be used. `pointer` is empty when the whole of it is at fault."""

    def __init__(self, message: str, *path: str | int) -> None:
        self.message = message
        self.path = path
        super().__init__(message)

    @property
    def pointer(self) -> str:
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.path)

    def below(self, *path: str | int) -> Self:
        """The same fault, seen from further up in the document."""
        return type(self)(self.message, *path, *self.path)

    @classmethod
    def of(cls, error: Exception) -> Self:
        """What Python found wrong with a member, in words for the author of the document."""
        if isinstance(error, cls):
            return error
        if isinstance(error, KeyError):
            return cls("is missing", str(error.args[0]))
        return cls("has the wrong type")
