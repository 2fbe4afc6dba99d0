"""Charging periods from what a charge point reported (§mod_cdrs_charging_period).

The way of a session: `history` is what is known of it, `timeline` puts state and tariff in order, `register` is its
energy and `gauges` its power and current as curves over time, `cuts` finds every instant at which a price can change,
`parts` is the session cut there, `merging` joins neighbours that are priced alike, and `generating` makes the members
of a CDR or Session. Which price applies is asked of the engine that audits, so both always agree.
"""
