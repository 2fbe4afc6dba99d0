"""Charging profiles of partners: `schedules` puts them into words of OCPP and back (pure), `ordering` asks chargers to
apply or clear them and what applies, `applying` is what becomes of the answers.
"""
