"""The tariff lab over the CDRs that are stored here: `replaying` reads a month of them, `running` works off what staff
have asked for. What is compared is told by `ocpi.pricing.lab`.
"""
