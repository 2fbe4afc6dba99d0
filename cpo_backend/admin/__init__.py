"""Chargers as staff see and serve them, whose they are, and what they earn."""

from cpo_backend.admin.alarms import AlarmAdmin
from cpo_backend.admin.chargers import ChargerAdmin
from cpo_backend.admin.files import ChargerFileAdmin
from cpo_backend.admin.ingest import FedStatusAdmin, StatusSourceAdmin
from cpo_backend.admin.local_lists import LocalListAdmin
from cpo_backend.admin.operations import OperationJobAdmin
from cpo_backend.admin.owners import ChargePointOwnerAdmin
from cpo_backend.admin.power import PowerDecisionAdmin, PowerSiteAdmin
from cpo_backend.admin.remote import RemoteStartAdmin, ReservationAdmin, SessionProfileAdmin
from cpo_backend.admin.reports import ReportAdmin
from cpo_backend.admin.statements import OwnerStatementAdmin, StatedCdrAdmin
from cpo_backend.admin.transactions import OrphanStopAdmin, TransactionAdmin, TransactionMessageAdmin
from cpo_backend.admin.wire import OcppCommandAdmin, OcppConnectionAdmin, OcppMessageAdmin

__all__ = [
    "AlarmAdmin",
    "ChargePointOwnerAdmin",
    "ChargerAdmin",
    "ChargerFileAdmin",
    "FedStatusAdmin",
    "LocalListAdmin",
    "OcppCommandAdmin",
    "OcppConnectionAdmin",
    "OcppMessageAdmin",
    "OperationJobAdmin",
    "OrphanStopAdmin",
    "OwnerStatementAdmin",
    "PowerDecisionAdmin",
    "PowerSiteAdmin",
    "RemoteStartAdmin",
    "ReportAdmin",
    "ReservationAdmin",
    "SessionProfileAdmin",
    "StatedCdrAdmin",
    "StatusSourceAdmin",
    "TransactionAdmin",
    "TransactionMessageAdmin",
]
