"""An API as it is put together."""

from api.app import ROUTERS
from tests.support.sites.service import Service


def test_an_api_serves_the_very_routes_that_its_modules_have_built(service: Service) -> None:
    """Building each anew, with its models, took nearly all the time in which an API is put together."""
    served = {id(route) for route in service.app.routes}
    built = {id(route) for router in ROUTERS for route in router.routes}
    assert len(built) > 40
    assert built <= served
