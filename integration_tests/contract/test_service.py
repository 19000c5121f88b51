"""The service itself."""

import pytest


@pytest.mark.routes("GET /versionInfo", "GET /serverProperties", "GET /namedFilterSpecLists")
def test_about_itself(service):
    assert service.send("GET", "/versionInfo").status_code in (200, 204)
    assert "properties" in service.ok("GET", "/serverProperties")
    assert "default" in service.ok("GET", "/namedFilterSpecLists")["namedFilterSpecLists"]


def test_unknown_paths_and_wrong_methods(service):
    assert service.send("GET", "/nosuchroute").status_code == 404
    assert service.send("PUT", service.stack(), {}).status_code == 405
    assert service.send("OPTIONS", "/owners").status_code == 200
