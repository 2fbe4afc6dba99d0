"""A charger at which an eMSP reserves."""

from tests.cpo_backend.remote.conftest import charger, emsp

__all__ = ["charger", "emsp"]
