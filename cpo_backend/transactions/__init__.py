"""Transactions: what a charger tells of them is kept as told, each fact once; what it means is worked out each time.

`readings` reads meter values; `starting`, `stopping`, `metering` and `events` take facts in; `lost` ends what will
never be stopped, and `orphans` is what staff do about stops of nobody's; `asking` asks the charger. `clock` and
`energy` are pure; `accounts` puts all of it together, for `billing` and for `telling`.
"""
