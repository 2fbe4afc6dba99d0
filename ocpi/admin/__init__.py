"""The object store as staff see it: everything can be looked at, nothing can be changed."""

from ocpi.admin.cdrs import CdrAdmin
from ocpi.admin.client_infos import ClientInfoAdmin
from ocpi.admin.locations import LocationAdmin
from ocpi.admin.sessions import SessionAdmin
from ocpi.admin.tariffs import TariffAdmin

__all__ = ["CdrAdmin", "ClientInfoAdmin", "LocationAdmin", "SessionAdmin", "TariffAdmin"]
