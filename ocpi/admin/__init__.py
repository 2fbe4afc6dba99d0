"""The object store as staff see it: everything can be looked at, nothing can be changed."""

from ocpi.admin.locations import LocationAdmin

__all__ = ["LocationAdmin"]
