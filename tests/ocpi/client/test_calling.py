"""Both clients against a partner that misbehaves, on real sockets."""

import pytest

from ocpi.client.http import OcpiClient
from ocpi.client.messages import Answer, NotOcpi, PartnerError, Presented, Refused, TimedOut, Unreachable, interpret
from ocpi.client.sending import NotTried, Request
from ocpi.transport.headers import MessageIds, RoutingHeaders
from tests.kit.peer import FakePeer, answers, drips, enveloped, fails, garbage, hangs_up, redirects, slow
from tests.kit.sending import send_all


def get(peer, **options):
    with OcpiClient(Presented(peer.token), **options) as client:
        return client.get(peer.versions_url)


def send(peer, number=1):
    requests = [Request("GET", peer.versions_url, RoutingHeaders()) for _ in range(number)]
    return send_all(requests, Presented(peer.token), MessageIds(), in_flight=4)


def test_a_good_answer_is_its_data(fake_peer):
    peer = fake_peer()
    expected = [{"version": "2.2.1", "url": f"{peer.url}/2.2.1"}]
    assert get(peer).data == expected
    assert [answer.data for answer in send(peer, 3)] == [expected] * 3


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (fails(500), NotOcpi),
        (garbage(), NotOcpi),
        (garbage(b"[]"), NotOcpi),
        (garbage(b'{"status_code": "1000"}'), NotOcpi),
        (redirects(), NotOcpi),
        (answers(enveloped(code=2001)), Refused),
        (answers(enveloped(code=2004, http=404)), Refused),
        (answers(enveloped(code=3000, http=500)), Refused),
        (answers(enveloped(code=1000, http=500)), NotOcpi),
        (slow(5), TimedOut),
        (drips(0.1), TimedOut),
        (hangs_up(), Unreachable),
    ],
)
def test_each_way_to_fail_has_its_error(fake_peer, behaviour, kind):
    peer = fake_peer()
    peer.misbehave(behaviour)
    with pytest.raises(kind) as failure:
        get(peer)
    assert str(failure.value)
    (result,) = send(peer)
    assert isinstance(result, kind)


def test_a_partner_that_is_not_there_is_unreachable(settings):
    settings.NODE_ALLOW_PRIVATE_URLS = True
    with FakePeer() as peer:
        url = peer.versions_url
    with OcpiClient(Presented("t")) as client, pytest.raises(Unreachable):
        client.get(url)


def test_after_the_first_unreachable_the_rest_is_not_tried(fake_peer):
    peer = fake_peer()
    peer.misbehave(hangs_up())
    results = send(peer, 50)
    assert all(isinstance(result, Unreachable | NotTried) for result in results)
    assert isinstance(results[-1], NotTried)
    assert len(peer.requests) < 20


def test_one_refusal_does_not_stop_the_others(fake_peer):
    peer = fake_peer()
    peer.misbehave(answers(enveloped(code=2001)), count=1)
    results = send(peer, 10)
    assert sum(isinstance(result, Answer) for result in results) == 9


def test_private_addresses_are_refused_by_both(settings, fake_peer):
    peer = fake_peer()
    settings.NODE_ALLOW_PRIVATE_URLS = False
    with pytest.raises(Unreachable, match="https"):
        get(peer)
    (result,) = send(peer)
    assert isinstance(result, Unreachable)
    assert peer.requests == []


def test_a_name_that_resolves_to_a_private_address_is_refused_when_connecting(settings, fake_peer):
    settings.NODE_ALLOW_PRIVATE_URLS = False
    url = "https://localhost:1/versions"
    with OcpiClient(Presented("t")) as client, pytest.raises(Unreachable, match="not a public address"):
        client.get(url)
    (result,) = send_all([Request("GET", url, RoutingHeaders())], Presented("t"), MessageIds(), 1)
    assert isinstance(result, Unreachable) and "not a public address" in str(result)


def test_a_token_is_written_as_the_partner_wants_it_and_never_shown():
    assert Presented("abc").header() == "Token YWJj"
    assert Presented("abc", plain=True).header() == "Token abc"
    assert "abc" not in repr(Presented("abc"))


def test_an_oversized_answer_is_not_read_to_its_end(fake_peer):
    peer = fake_peer()
    peer.misbehave(garbage(b"x" * (70 * 1024 * 1024)))
    with pytest.raises(PartnerError, match="larger"):
        get(peer)


def test_created_and_ok_mean_the_same():
    body = b'{"data": 1, "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"}'
    assert interpret(200, {}, body).data == interpret(201, {}, body).data == 1
