"""Implements `ocpi.ports.Authorizer`."""

from roaming.authorization import deciding, terms


class Desk:
    answer = staticmethod(terms.answer)
    decide = staticmethod(deciding.decide)


authorizer = Desk()
