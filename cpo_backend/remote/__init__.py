"""Commands of partners, carried out by chargers.

`ordering` turns a command into a CALL, `places` finds the charger for it, `outcomes` says what an answer means (pure),
`answering` tells the partner, and `starts` brings a remote start and its transaction together.
"""
