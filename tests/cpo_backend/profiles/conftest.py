"""A charger on which an eMSP sets profiles."""

from tests.cpo_backend.remote.conftest import charger, emsp

__all__ = ["charger", "emsp"]
