from rendermodules.render_ws.app import all_routes
from rendermodules.render_ws.java_routes import java_routes, place
from rendermodules.render_ws.routes_document import DOCUMENT, contract_tests, document


def test_the_document_is_up_to_date():
    assert DOCUMENT.read_text() == document(), "run python -m rendermodules.render_ws.routes_document"


def test_every_route_is_unique_and_those_that_modules_need_are_answered_and_tested():
    java = list(java_routes())
    assert len({(route.method, place(route.path)) for route in java}) == len(java) == 164
    routes = [(route.method, place(route.path)) for route in all_routes()]
    assert len(set(routes)) == len(routes)
    tests = contract_tests()
    for route in java:
        if (route.method, place(route.path)) in routes:
            assert tests.get(f"{route.method} {route.short}"), f"{route} has no contract test"
        else:
            assert route.priority == "P2"
    known = {f"{route.method} {route.short}" for route in java}
    assert set(tests) <= known
