"""Registers of charging sites, read into OCPI Location documents.

Two formats, one shape of answer (`SiteList`): the German federal register (`bnetza`) and OCPI JSON
(`ocpi_json`). Nothing here knows Django, the database or a partner: files in, plain documents out.
"""

from cpo_backend.register.sites import RejectedRow, Remark, Site, SiteList, UnreadableRegister

__all__ = ["RejectedRow", "Remark", "Site", "SiteList", "UnreadableRegister"]
