"""The object store as staff see it: everything can be looked at, nothing but our own Tokens can be changed."""

from ocpi.admin.cdrs import CdrAdmin
from ocpi.admin.client_infos import ClientInfoAdmin
from ocpi.admin.locations import LocationAdmin
from ocpi.admin.sessions import SessionAdmin
from ocpi.admin.tariffs import TariffAdmin
from ocpi.admin.tokens import TokenAdmin

__all__ = ["CdrAdmin", "ClientInfoAdmin", "LocationAdmin", "SessionAdmin", "TariffAdmin", "TokenAdmin"]
