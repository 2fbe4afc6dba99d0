"""Tariffs that follow a day-ahead market: a curve of prices in, OCPI Tariffs out that say exactly that.

Restrictions of a Tariff are in local time, and on the day when the clock goes back an hour of local time comes twice
with different prices. So there is a Tariff for each UTC offset of the zone, valid by `start_date_time` and
`end_date_time` while that offset is in force: within it no local time is ambiguous (§mod_tariffs_tariff_object).
"""
