"""Stacks: catalogue, life cycle, metadata."""

import pytest
import renderapi


@pytest.mark.routes("GET /owners", "GET /owner/{owner}/stacks", "POST S", "GET S", "GET /likelyUniqueId")
def test_catalogue(service, render):
    renderapi.stack.create_stack("s", stackResolutionX=4.0, cycleNumber=1, render=render)
    assert "contract" in renderapi.render.get_owners(render=render)
    assert service.project in renderapi.render.get_projects_by_owner(render=render)
    assert renderapi.render.get_stacks_by_owner_project(render=render) == ["s"]
    metadata = renderapi.stack.get_full_stack_metadata("s", render=render)
    assert (metadata["state"], metadata["currentVersionNumber"]) == ("LOADING", 0)
    assert renderapi.stack.get_stack_metadata("s", render=render).stackResolutionX == 4.0
    assert len(renderapi.stack.likelyUniqueId(render=render)) == 24
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.stack.get_full_stack_metadata("none", render=render)


@pytest.mark.routes(
    "PUT S/state/{state}",
    "GET S/bounds",
    "GET S/zValues",
    "GET S/z/{z}/bounds",
    "GET S/z/{z}/tileBounds",
    "GET S/sectionData",
    "GET S/section/{sectionId}/z",
    "GET S/tileIds",
)
def test_completion(service, render, tile):
    service.put(tile("a"), tile("b", x=90), tile("c", z=2.5))
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.stack.get_stack_bounds("s", render=render)
    renderapi.stack.set_stack_state("s", "COMPLETE", render=render)
    assert renderapi.stack.get_stack_bounds("s", render=render)["maxX"] == 190.0
    stats = renderapi.stack.get_full_stack_metadata("s", render=render)["stats"]
    assert (stats["tileCount"], stats["sectionCount"], stats["nonIntegralSectionCount"]) == (3, 2, 1)
    assert renderapi.stack.get_z_values_for_stack("s", render=render) == [1.0, 2.5]
    assert renderapi.stack.get_bounds_from_z("s", 2.5, render=render)["maxX"] == 100.0
    bounds = renderapi.stack.get_tilebounds_for_z("s", 1, render=render)
    assert sorted(one["tileId"] for one in bounds) == ["a", "b"]
    assert renderapi.stack.get_sectionId_for_z("s", 2.5, render=render) == "2.5"
    assert renderapi.stack.get_section_z_value("s", "2.5", render=render) == 2.5
    assert [one["tileCount"] for one in renderapi.stack.get_stack_sectionData("s", render=render)] == [2, 1]
    assert renderapi.stack.get_stack_tileIds("s", render=render) == ["a", "b", "c"]


@pytest.mark.routes("PUT S/state/{state}", "PUT S/resolvedTiles", "DELETE S/z/{z}", "POST S")
def test_only_loading_stacks_change(service, render, tile):
    service.put(tile("a"))
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.stack.set_stack_state("s", "READ_ONLY", render=render)
    renderapi.stack.set_stack_state("s", "COMPLETE", render=render)
    body = {"tileIdToSpecMap": {"b": tile("b")}}
    service.fails("PUT", f"{service.stack()}/resolvedTiles?deriveData=true", body)
    service.fails("DELETE", f"{service.stack()}/z/1")
    renderapi.stack.set_stack_state("s", "COMPLETE", render=render)
    renderapi.stack.set_stack_state("s", "LOADING", render=render)
    assert renderapi.stack.get_full_stack_metadata("s", render=render)["currentVersionNumber"] == 1
    renderapi.stack.create_stack("s", render=render)
    assert renderapi.stack.get_full_stack_metadata("s", render=render)["currentVersionNumber"] == 2
    assert renderapi.stack.get_stack_tileIds("s", render=render) == ["a"]
    service.fails("PUT", f"{service.stack('empty')}/state/COMPLETE")


@pytest.mark.routes("PUT S/cloneTo/{toStack}", "PUT S/stackId", "DELETE S")
def test_clone_rename_delete(service, render, tile):
    service.put(tile("a"), tile("b", z=2))
    # render-python closes the clone through a connection of its own, which leads to no store in this process
    closes = service.kind != "embedded"
    renderapi.stack.clone_stack("s", "all", close_stack=closes, render=render)
    if not closes:
        service.complete("all")
    renderapi.stack.clone_stack("s", "one", zs=[2], close_stack=False, render=render)
    assert renderapi.stack.get_z_values_for_stack("all", render=render) == [1.0, 2.0]
    assert renderapi.stack.get_z_values_for_stack("one", render=render) == [2.0]
    assert renderapi.stack.get_full_stack_metadata("all", render=render)["state"] == "COMPLETE"
    assert renderapi.stack.get_full_stack_metadata("one", render=render)["state"] == "LOADING"
    service.fails("PUT", f"{service.stack()}/cloneTo/all", {})
    renderapi.stack.rename_stack("all", "renamed", render=render)
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.stack.rename_stack("renamed", "one", render=render)
    assert renderapi.stack.get_stack_tileIds("renamed", render=render) == ["a", "b"]
    renderapi.stack.delete_stack("renamed", render=render)
    renderapi.stack.delete_stack("renamed", render=render)
    assert sorted(renderapi.render.get_stacks_by_owner_project(render=render)) == ["one", "s"]


@pytest.mark.routes("DELETE S/z/{z}", "DELETE S/tile/{tileId}", "DELETE S/section/{sectionId}")
def test_deleting_tiles(service, render, tile):
    service.put(tile("a"), tile("b", z=2), tile("c", z=2), tile("d", z=3))
    renderapi.stack.delete_section("s", 1.0, render=render)
    renderapi.stack.delete_tile("s", "b", render=render)
    service.ok("DELETE", f"{service.stack()}/section/3.0")
    assert renderapi.stack.get_stack_tileIds("s", render=render) == ["c"]
    renderapi.stack.delete_section("s", 77, render=render)
    renderapi.stack.delete_tile("s", "none", render=render)


@pytest.mark.routes(
    "GET /owner/{owner}/projects",
    "GET /owner/{owner}/stackIds",
    "GET /owner/{owner}/project/{project}/stackIds",
    "GET /owner/{owner}/project/{project}/stacks",
)
def test_lists(service):
    service.ok("POST", service.stack(), {})
    id = {"owner": "contract", "project": service.project, "stack": "s"}
    assert service.project in service.ok("GET", "/owner/contract/projects")
    assert id in service.ok("GET", "/owner/contract/stackIds")
    assert service.ok("GET", f"/owner/contract/project/{service.project}/stackIds") == [id]
    (metadata,) = service.ok("GET", f"/owner/contract/project/{service.project}/stacks")
    assert metadata["stackId"] == id


@pytest.mark.routes(
    "GET S/cycle",
    "PUT S/cycle",
    "DELETE S/cycle",
    "GET S/resolutionValues",
    "PUT S/resolutionValues",
    "DELETE S/resolutionValues",
    "GET S/materializedBoxRootPath",
    "PUT S/materializedBoxRootPath",
    "DELETE S/materializedBoxRootPath",
    "GET S/mipmapPathBuilder",
    "PUT S/mipmapPathBuilder",
    "DELETE S/mipmapPathBuilder",
    "GET S/defaultChannel",
    "PUT S/defaultChannel",
    "DELETE S/defaultChannel",
    "GET S/hierarchicalData",
    "PUT S/hierarchicalData",
    "DELETE S/hierarchicalData",
)
def test_parts_of_the_metadata(service):
    service.ok("POST", service.stack(), {})
    json, text = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    parts = {
        "cycle": ({"number": 3, "stepNumber": 4}, {}),
        "resolutionValues": ([4.0, 5.0, 40.0], [None, None, None]),
        "mipmapPathBuilder": ({"rootPath": "/m/", "numberOfLevels": 3, "extension": "png"}, None),
        "hierarchicalData": (
            {"tier": 1, "tierRow": 0, "tierColumn": 0, "totalTierRowCount": 1, "totalTierColumnCount": 1, "scale": 0.5},
            None,
        ),
    }
    for name, (value, absent) in parts.items():
        path = f"{service.stack()}/{name}"
        assert service.ok("GET", path) == absent
        service.ok("PUT", path, value)
        assert service.ok("GET", path) == value
        service.ok("DELETE", path)
        assert service.ok("GET", path) == absent
    for name, value, headers in (("materializedBoxRootPath", "/boxes", text), ("defaultChannel", "GFP", json)):
        path = f"{service.stack()}/{name}"
        assert service.send("GET", path).status_code == 204
        service.ok("PUT", path, data=value, headers=headers)
        assert service.send("GET", path).text == value
        service.ok("DELETE", path)
        assert service.send("GET", path).status_code == 204


@pytest.mark.differs_from_java("names outside of Java's set are accepted")
@pytest.mark.routes("POST S", "GET S")
def test_other_names(service):
    path = service.stack("with-dash and.dots")
    service.ok("POST", path, {})
    assert service.ok("GET", path)["stackId"]["stack"] == "with-dash and.dots"


@pytest.mark.routes("POST S", "GET S", "GET /owner/{owner}/stacks")
def test_versions_through_render_python(service, render):
    service.ok("POST", service.stack(), {})
    version = renderapi.stack.get_stack_metadata("s", render=render)
    version.versionNotes = "second"
    renderapi.stack.set_stack_metadata("s", version, render=render)
    assert renderapi.stack.get_full_stack_metadata("s", render=render)["currentVersionNumber"] == 1
    mine = renderapi.render.get_stack_metadata_by_owner(render=render)
    (stack,) = (one for one in mine if one["stackId"]["project"] == service.project)
    assert stack["currentVersion"]["versionNotes"] == "second"
