"""The ASGI application in front of Django that answers what the lanes answer."""

import structlog
from django.core.exceptions import SynchronousOnlyOperation

from ocpi import ports
from ocpi.errors import OcpiError
from ocpi.express import lanes
from ocpi.express.database import Database
from ocpi.express.lanes import Answer
from ocpi.status import OcpiStatus
from ocpi.transport.asgi import Application, ClientGone, Conversation, Receive, Scope, Send, encoded

log = structlog.get_logger(__name__)


class Express:
    """An ASGI application for `http` scopes around another, with a database that knows `connections` at once."""

    def __init__(self, behind: Application, connections: int) -> None:
        self._behind, self._database = behind, Database(connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = lanes.find(scope)
        if lane is None:
            await self._behind(scope, receive, send)
            return
        conversation = Conversation(scope, receive, send)
        try:
            answer = await lane(conversation, self._database)
        except ClientGone:
            return
        except (OcpiError, SynchronousOnlyOperation):  # refused, or a rule had to ask the database
            answer = None
        except Exception:
            log.exception("the express lane failed", path=scope["path"])
            answer = None
        if answer is None:
            await self._behind(scope, conversation.receive, send)
        else:
            await _give(conversation, answer)

    async def close(self) -> None:
        await self._database.close()


async def _give(conversation: Conversation, answer: Answer) -> None:
    reply, transcript = answer.admission.reply, conversation.transcript
    transcript.status_code, transcript.routing = int(OcpiStatus.SUCCESS), reply.reply()
    headers = encoded({**conversation.ids.headers(), **reply.headers(), **answer.headers})
    headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer.content))]
    await conversation.answer(200, headers, answer.content)
    ports.exchange_log().note(transcript)
