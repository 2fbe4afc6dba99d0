"""The tables of this app, by room."""

from cpo_backend.alarm_models import Alarm
from cpo_backend.charger_models import Charger, ChargerEvse, ReportedStatus
from cpo_backend.file_models import ChargerFile
from cpo_backend.ingest_models import FedStatus, StatusSource
from cpo_backend.local_list_models import LocalList
from cpo_backend.ocpp_models import OcppCommand, OcppConnection, OcppMessage, OcppNode
from cpo_backend.operation_models import OperationJob, OperationStep
from cpo_backend.owning_models import ChargePointOwner, Ownership, OwnerStatement, RevenueShare, StatedCdr
from cpo_backend.power_models import PowerDecision, PowerShare, PowerSite, SentProfile, SessionPreferences
from cpo_backend.profile_models import SessionProfile
from cpo_backend.remote_models import RememberedToken, RemoteCommand, RemoteStart, TagAlias
from cpo_backend.reporting_models import CdrFigures, FiguresProgress
from cpo_backend.reserving_models import Reservation
from cpo_backend.transaction_models import (
    Bill,
    MeterSample,
    OrphanStop,
    SignedReading,
    StateChange,
    Transaction,
    TransactionMessage,
)

__all__ = [
    "Alarm",
    "Bill",
    "CdrFigures",
    "ChargePointOwner",
    "Charger",
    "ChargerEvse",
    "ChargerFile",
    "FedStatus",
    "FiguresProgress",
    "LocalList",
    "MeterSample",
    "OcppCommand",
    "OcppConnection",
    "OcppMessage",
    "OcppNode",
    "OperationJob",
    "OperationStep",
    "OrphanStop",
    "OwnerStatement",
    "Ownership",
    "PowerDecision",
    "PowerShare",
    "PowerSite",
    "RememberedToken",
    "RemoteCommand",
    "RemoteStart",
    "ReportedStatus",
    "Reservation",
    "RevenueShare",
    "SentProfile",
    "SessionPreferences",
    "SessionProfile",
    "SignedReading",
    "StateChange",
    "StatedCdr",
    "StatusSource",
    "TagAlias",
    "Transaction",
    "TransactionMessage",
]
