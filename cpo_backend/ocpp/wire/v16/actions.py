"""OCPP 1.6: every action, with the shape of its request and of its answer."""

from cpo_backend.ocpp.wire.messages import Action, Empty
from cpo_backend.ocpp.wire.v16 import core, firmware, local_list, remote_trigger, reservation, security, smart_charging
from cpo_backend.ocpp.wire.v16.types import Outcome

FROM_CHARGER: dict[str, Action] = {
    "Authorize": Action(core.Authorize, core.AuthorizeResponse),
    "BootNotification": Action(core.BootNotification, core.BootNotificationResponse),
    "DataTransfer": Action(core.DataTransfer, core.DataTransferResponse),
    "DiagnosticsStatusNotification": Action(firmware.DiagnosticsStatusNotification, Empty),
    "FirmwareStatusNotification": Action(firmware.FirmwareStatusNotification, Empty),
    "Heartbeat": Action(Empty, core.HeartbeatResponse),
    "LogStatusNotification": Action(security.LogStatusNotification, Empty),
    "MeterValues": Action(core.MeterValues, Empty),
    "SecurityEventNotification": Action(security.SecurityEventNotification, Empty),
    "SignCertificate": Action(security.SignCertificate, Outcome),
    "SignedFirmwareStatusNotification": Action(security.SignedFirmwareStatusNotification, Empty),
    "StartTransaction": Action(core.StartTransaction, core.StartTransactionResponse),
    "StatusNotification": Action(core.StatusNotification, Empty),
    "StopTransaction": Action(core.StopTransaction, core.StopTransactionResponse),
}
TO_CHARGER: dict[str, Action] = {
    "CancelReservation": Action(reservation.CancelReservation, Outcome),
    "CertificateSigned": Action(security.CertificateSigned, Outcome),
    "ChangeAvailability": Action(core.ChangeAvailability, Outcome),
    "ChangeConfiguration": Action(core.ChangeConfiguration, Outcome),
    "ClearCache": Action(Empty, Outcome),
    "ClearChargingProfile": Action(smart_charging.ClearChargingProfile, Outcome),
    "DataTransfer": Action(core.DataTransfer, core.DataTransferResponse),
    "DeleteCertificate": Action(security.DeleteCertificate, Outcome),
    "ExtendedTriggerMessage": Action(security.ExtendedTriggerMessage, Outcome),
    "GetCompositeSchedule": Action(smart_charging.GetCompositeSchedule, smart_charging.GetCompositeScheduleResponse),
    "GetConfiguration": Action(core.GetConfiguration, core.GetConfigurationResponse),
    "GetDiagnostics": Action(firmware.GetDiagnostics, firmware.GetDiagnosticsResponse),
    "GetInstalledCertificateIds": Action(
        security.GetInstalledCertificateIds, security.GetInstalledCertificateIdsResponse
    ),
    "GetLocalListVersion": Action(Empty, local_list.GetLocalListVersionResponse),
    "GetLog": Action(security.GetLog, security.GetLogResponse),
    "InstallCertificate": Action(security.InstallCertificate, Outcome),
    "RemoteStartTransaction": Action(core.RemoteStartTransaction, Outcome),
    "RemoteStopTransaction": Action(core.RemoteStopTransaction, Outcome),
    "ReserveNow": Action(reservation.ReserveNow, Outcome),
    "Reset": Action(core.Reset, Outcome),
    "SendLocalList": Action(local_list.SendLocalList, Outcome),
    "SetChargingProfile": Action(smart_charging.SetChargingProfile, Outcome),
    "SignedUpdateFirmware": Action(security.SignedUpdateFirmware, Outcome),
    "TriggerMessage": Action(remote_trigger.TriggerMessage, Outcome),
    "UnlockConnector": Action(core.UnlockConnector, Outcome),
    "UpdateFirmware": Action(firmware.UpdateFirmware, Empty),
}
