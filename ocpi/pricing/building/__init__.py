"""Tariffs of the common kinds from what people mean by them (§mod_tariffs_tariff_object).

`plans` is what is meant: a price per kWh, perhaps by month or by time of day, fees, parking, reservation. `making`
writes it down as Tariffs that mean exactly that, `samples` shows what sessions cost by them.
"""
