"""What tests of the whole node share."""

from collections.abc import Callable

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families


@pytest.fixture
def read(client: Client) -> Callable[..., float]:
    """The value of one figure, as Prometheus reads it."""

    def read(name: str, **labels: str) -> float:
        text = client.get("/metrics").content.decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        (value,) = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
        return float(value)

    return read
