"""The reference for a pull: download the same pages one after the other and upsert the texts, unread.

python -m tests.bench.bare_pull URL HEADERS_JSON, in the puller's environment; prints {"stored", "pages", "seconds"}.
"""

import http.client
import json
import os
import sys
import time
from urllib.parse import urlsplit

import msgspec
import psycopg

from ocpi.transport.pagination import next_link

_UPSERT = """
    INSERT INTO ocpi_location
        (owner, key, last_updated, stamp, document, defects, source, stale, revision, xid, received_at)
    SELECT owner, key, stamp::timestamptz, stamp, document, '', 0, false, nextval('ocpi_revision'),
        pg_current_xact_id()::text::bigint, now()
    FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[]) AS given (owner, key, stamp, document)
    ON CONFLICT (owner, key) DO UPDATE SET document = excluded.document, revision = excluded.revision
"""


class _Head(msgspec.Struct):
    country_code: str
    party_id: str
    id: str
    last_updated: str


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]


def pull(url: str, headers: dict[str, str]) -> dict[str, float]:
    """The whole loop, one transaction a page."""
    started, stored, pages = time.monotonic(), 0, 0
    parts = urlsplit(url)
    server = http.client.HTTPConnection(parts.netloc)
    following: str | None = url
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        while following:
            server.request("GET", following.removeprefix(f"{parts.scheme}://{parts.netloc}"), headers=headers)
            response = server.getresponse()
            texts = msgspec.json.decode(response.read(), type=_Page).data
            heads = [msgspec.json.decode(text, type=_Head) for text in texts]
            connection.execute(
                _UPSERT,
                [
                    [f"{head.country_code}*{head.party_id}" for head in heads],
                    [head.id.lower() for head in heads],
                    [head.last_updated for head in heads],
                    [bytes(text).decode() for text in texts],
                ],
            )
            connection.commit()
            stored, pages = stored + len(texts), pages + 1
            following = next_link(response.headers.get("Link"))
    return {"stored": stored, "pages": pages, "seconds": time.monotonic() - started}


if __name__ == "__main__":
    print(json.dumps(pull(sys.argv[1], json.loads(sys.argv[2]))))
