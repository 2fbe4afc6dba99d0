"""Objects of partners that cannot be used: kept with what is wrong with them, released by the next usable version."""

from collections.abc import Sequence
from typing import Any

from ocpi.types import codec
from ocpi.types.validation import Violation
from ocpi.v221.versions import ModuleID
from roaming.pull_models import QuarantinedObject


def identity(document: Any) -> str:
    """Owner and id as far as they can be read, else what the object looks like."""
    if not isinstance(document, dict):
        return f"not an object: {str(document)[:80]}"
    own = next((names for names in (("id",), ("type", "uid"), ("role",)) if names[-1] in document), ("id",))
    parts = [str(document.get(name, "?"))[:39] for name in ("country_code", "party_id", *own)]
    return "*".join(part if part.isprintable() else "?" for part in parts)


def keep(platform_id: int, module: ModuleID, document: Any, defects: Sequence[Violation]) -> None:
    """Put an unusable object aside."""
    QuarantinedObject.objects.update_or_create(
        platform_id=platform_id,
        module=module.value,
        identity=identity(document),
        defaults={"document": _storable(document), "defects": codec.encode(defects).decode()},
    )


def release(platform_id: int, module: ModuleID, documents: Sequence[Any]) -> None:
    """Forget what was put aside of these objects, now that they came usable."""
    kept = QuarantinedObject.objects.filter(platform_id=platform_id, module=module.value)
    if kept.exists():
        kept.filter(identity__in=[identity(document) for document in documents]).delete()


def _storable(document: Any) -> str:
    """The JSON of the object; a NUL character, which PostgreSQL cannot hold, stays visible as its escape."""
    return codec.encode(document).decode().replace("\x00", "\\u0000")
