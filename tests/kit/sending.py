"""Requests sent side by side, as lanes send them, each a talk of its own."""

from collections.abc import Sequence
from functools import partial

from ocpi.client.messages import Answer, PartnerError, Presented
from ocpi.client.sending import Ask, Request, hold
from ocpi.transport.headers import MessageIds


def send_all(
    requests: Sequence[Request], presented: Presented, ids: MessageIds, in_flight: int
) -> list[Answer | PartnerError]:
    """The answer to each request, or what went wrong."""
    answers: dict[int, Answer] = {}

    async def talk(index: int, ask: Ask) -> None:
        answers[index] = await ask(requests[index])

    errors = hold([partial(talk, index) for index in range(len(requests))], presented, ids, in_flight)
    return [error or answers[index] for index, error in enumerate(errors)]
