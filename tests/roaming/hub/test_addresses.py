"""What a URL of the hub's names."""

import pytest

from ocpi.v221.versions import InterfaceRole
from roaming.hub.addresses import Place

SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/ocpi/2.2.1/sender/locations", Place(SENDER, "locations", "", True)),
        (b"/ocpi/2.2.1/sender/locations/", Place(SENDER, "locations", "/", True)),
        (b"/ocpi/2.2.1/receiver/cdrs/A%2FB/c//", Place(RECEIVER, "cdrs", "/A%2FB/c//", False)),
        (b"/ocpi/2.2.1/receiver/acme%20x/1", Place(RECEIVER, "acme x", "/1", False)),
        (b"/ocpi/2.2.1/receiver/locations/\xe9", Place(RECEIVER, "locations", "/\xe9", False)),
        (b"/ocpi/2.2.1/sender/" + b"m" * 50, Place(SENDER, "m" * 50, "", True)),
    ],
)
def test_the_place_that_a_url_names(path: bytes, expected: Place) -> None:
    assert Place.read(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/ocpi/2.2.1/credentials",
        b"/ocpi/2.2.1/sender",
        b"/ocpi/2.2.1/sender/",
        b"/ocpi/2.2.1//locations",
        b"/ocpi/2.2.1/Sender/locations",
        b"/ocpi/2.2/sender/locations",
        b"/xocpi/2.2.1/sender/locations",
        b"x/ocpi/2.2.1/sender/locations",
        b"/ocpi/2.2.1/sender/\xe9",
        b"/ocpi/2.2.1/sender/" + b"m" * 51,
    ],
)
def test_a_url_that_is_no_interface_names_no_place(path: bytes) -> None:
    assert Place.read(path) is None
