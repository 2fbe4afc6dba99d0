"""A connection is usable unless its socket has something to say: between requests that is only its end.

Django's own check is a `SELECT 1` before the first query of every request: a round trip that costs more than the OCPI
view. A server that went away, was restarted or ended the connection has closed the socket, and the kernel knows.
"""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLRDHUP)
        return not poll.poll(0)
