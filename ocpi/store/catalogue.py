"""The store of every module whose objects are owned, pushed and pulled."""

from ocpi.store.cdrs import cdrs
from ocpi.store.client_infos import client_infos
from ocpi.store.locations import locations
from ocpi.store.objects import Objects
from ocpi.store.sessions import sessions
from ocpi.store.tariffs import tariffs
from ocpi.store.tokens import tokens
from ocpi.v221.versions import ModuleID

STORES: dict[ModuleID, Objects] = {
    store.module: store for store in (locations, tariffs, tokens, sessions, cdrs, client_infos)
}
