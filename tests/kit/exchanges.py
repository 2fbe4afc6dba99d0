"""The exchange log of a test (fixture `exchange_log`), and what it has written."""

from roaming.exchange_models import Exchange
from roaming.exchanges.log import ExchangeLog

exchange_log = ExchangeLog(threaded=False)


def noted(**found: object) -> list[Exchange]:
    """What the log has of the messages so far, oldest first."""
    exchange_log.flush()
    return list(Exchange.objects.filter(**found).order_by("at", "pk"))
