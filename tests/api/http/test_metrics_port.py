"""The figures: on a port of their own, and not at the public address."""

import socket
import threading

import httpx
import pytest

from api.http.metrics import Metrics
from api.http.metrics_port import MetricsPortError, metrics_app, served
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA


async def figures(service: Service) -> str:
    """What a reader of the figures gets."""
    transport = httpx.ASGITransport(metrics_app(service.app.state.metrics))
    async with httpx.AsyncClient(transport=transport, base_url="http://figures.test") as http:
        assert (await http.head("/metrics")).status_code == 200
        assert (await http.get("/v1/claims")).status_code == 404
        return (await http.get("/metrics")).text


async def test_metrics_count_refusals_by_code_and_name_nobody(claimed: Service) -> None:
    await claimed.get("/claims/clm-aaaaaaaaaaaaaaaa", ANA)
    text = await figures(claimed)
    assert 'tallystick_refusals_total{code="no-such-claim"} 1.0' in text
    assert "tallystick_claims 1.0" in text
    assert 'route="/v1/claims/{claim}"' in text
    assert "clm-" not in text
    assert "sha256" not in text


async def test_the_public_address_has_no_figures(service: Service) -> None:
    assert (await service.http.get("/metrics")).status_code == 404
    document = (await service.http.get("/v1/openapi.json")).json()
    assert "/metrics" not in document["paths"]


def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_figures_are_served_while_the_api_runs_and_no_longer(service: Service) -> None:
    address = free_address()
    metrics: Metrics = service.app.state.metrics
    with served(metrics, address):
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, trust_env=False) as http:
            assert "tallystick_claims" in http.get(f"http://{address}/metrics").text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{address}/metrics", trust_env=False)
    assert "metrics" not in {thread.name for thread in threading.enumerate()}


def test_an_address_that_is_taken_is_named(service: Service) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(MetricsPortError),
        served(service.app.state.metrics, f"127.0.0.1:{taken.getsockname()[1]}"),
    ):
        pass
