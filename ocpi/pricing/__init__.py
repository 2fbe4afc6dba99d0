"""What a charging session costs, and whether its CDR says so (§mod_tariffs_tariffs_module, §mod_cdrs_step_size).

The way of a document: `reading` takes it apart, `selection` gives each period its tariff, `course` applies a reading
of the disputed points, `engine` prices, `figures` rounds once, `audit` compares with the claims, and `breakdown`
writes down why. Pure: no database, no network, no clock of its own, and no number that is not exact.
"""

ENGINE_VERSION = "1"
"""Changes whenever a result could: a breakdown says which engine wrote it."""
