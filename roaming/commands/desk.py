"""Implements `ocpi.ports.Commands`."""

from roaming.commands import receiving, returning


class Desk:
    receive = staticmethod(receiving.receive)
    resolve = staticmethod(receiving.resolve)
    push_active_profile = staticmethod(receiving.push_active_profile)
    take_result = staticmethod(returning.take_result)
    take_active_profile = staticmethod(returning.take_active_profile)


commands = Desk()
