import re

from rendermodules.render_ws.adapter import EMBEDDED_URL
from rendermodules.render_ws.app import all_routes
from rendermodules.render_ws.openapi import BODIES, QUERIES
from rendermodules.render_ws.routing import PREFIX


def test_every_route_is_described(client):
    document = client.session.get(f"{EMBEDDED_URL}/swagger.json").json()
    operations = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert operations == {(route.method, PREFIX + route.path) for route in all_routes()}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"].endswith("."), operation


def test_the_tables_name_routes_that_exist():
    names = [f"{route.method} {route.path}" for route in all_routes()]
    assert set(BODIES) <= set(names)
    for expression, _ in QUERIES:
        assert any(re.match(expression, name) for name in names), expression


def test_references_lead_to_schemas(client):
    document = client.session.get(f"{EMBEDDED_URL}/render-ws/swagger.json").text
    schemas = client.session.get(f"{EMBEDDED_URL}/swagger.json").json()["components"]["schemas"]
    assert set(re.findall(r"#/components/schemas/(\w+)", document)) <= set(schemas)
