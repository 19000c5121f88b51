"""The routes of Java Render, to tell what is not answered here from what does not exist at all.

``S`` stands for the path of a stack, ``M`` for that of a match collection, ``B`` for a box of a layer.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from rendermodules.render_ws.routing import B, M, S

NEEDED = """
GET /owner/{owner}/stacks
POST S
GET S
DELETE S
PUT S/state/{state}
PUT S/cloneTo/{toStack}
DELETE S/z/{z}
DELETE S/tile/{tileId}
GET S/zValues
GET S/bounds
GET S/z/{z}/bounds
GET S/z/{z}/tileBounds
GET /likelyUniqueId
GET S/tile/{tileId}
GET S/tile/{tileId}/render-parameters
GET S/z/{z}/tile-specs
GET S/z/{z}/resolvedTiles
PUT S/resolvedTiles
GET S/B/render-parameters
PUT S/z/{z}/local-to-world-coordinates
GET S/tile/{tileId}/png-image
GET /owner/{owner}/matchCollections
GET M/groupIds
GET M/group/{groupId}/matchesWithinGroup
GET M/group/{groupId}/matchesOutsideGroup
GET M/group/{pGroupId}/matchesWith/{qGroupId}
GET M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}/id/{qId}
GET M/pGroup/{pGroupId}/matches
GET M/group/{groupId}/id/{id}
DELETE M/group/{pGroupId}/matchesWith/{qGroupId}
PUT M/matches
DELETE M
"""
"""What processing modules call."""

REACHABLE = """
GET /owners
PUT S/stackId
GET S/sectionData
GET S/section/{sectionId}/z
GET S/tileIds
GET S/z/{z}/world-to-local-coordinates/{x},{y}
GET S/tile/{tileId}/local-to-world-coordinates/{x},{y}
PUT S/z/{z}/world-to-local-coordinates
GET S/B/png-image
GET S/B/jpeg-image
GET S/B/tiff-image
GET S/B/tiff16-image
GET S/tile/{tileId}/jpeg-image
GET S/tile/{tileId}/tiff-image
GET S/tile/{tileId}/tiff16-image
GET S/z/{z}/png-image
GET S/z/{z}/jpeg-image
GET S/z/{z}/tiff-image
GET S/z/{z}/render-parameters
PUT /owner/{owner}/png-image
PUT /owner/{owner}/jpeg-image
PUT /owner/{owner}/tiff-image
GET /matchCollectionOwners
GET M/pGroupIds
GET M/qGroupIds
PUT S/tile-specs-with-ids
PUT S/z/{z}/tileIdsForCoordinates
"""
"""What else render-python can call."""

OTHERS = """
GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/jpg
GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/png
GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/render-parameters
GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tif
GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tile-count
GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/jpg
GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/png
GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/render-parameters
GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tif
GET S/group/{groupId}/B/jpeg-image
GET S/group/{groupId}/B/png-image
GET S/group/{groupId}/B/render-parameters
GET S/group/{groupId}/B/tiff-image
GET S/largeDataTileSource/{width}/{height}/small/{z}.jpg
GET S/largeDataTileSource/{width}/{height}/small/{z}.png
GET S/largeDataTileSource/{width}/{height}/{level}/{z}/{row}/{column}.jpg
GET S/largeDataTileSource/{width}/{height}/{level}/{z}/{row}/{column}.png
GET S/tile/{tileId}/mask/jpeg-image
GET S/tile/{tileId}/mask/png-image
GET S/tile/{tileId}/mask/scale/{scale}/render-parameters
GET S/tile/{tileId}/mask/tiff-image
GET S/tile/{tileId}/source/jpeg-image
GET S/tile/{tileId}/source/png-image
GET S/tile/{tileId}/source/scale/{scale}/render-parameters
GET S/tile/{tileId}/source/tiff-image
GET S/tile/{tileId}/withNeighbors/jpeg-image
GET S/tile/{tileId}/withNeighbors/render-parameters
GET S/B/png16-image
GET S/B/raw-image
GET S/B/raw16-image
PUT /owner/{owner}/local-to-world-coordinates/{x},{y}
PUT S/local-to-world-coordinates
PUT S/tileIdsForCoordinates
PUT S/world-to-local-coordinates
GET S/z/{z}/world-coordinates/{x},{y}/mapped-to-stack/{toStack}
PUT /owner/{owner}/world-to-local-coordinates/{x},{y}
PUT M/collectionId
DELETE M/group/{groupId}/id/{id}
DELETE M/group/{groupId}/matchesOutsideGroup
GET M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}
DELETE M/group/{pGroupId}/id/{pId}/matchesWith/{qGroupId}/id/{qId}
GET M/multiConsensusGroupIds
GET M/multiConsensusPGroupIds
GET M/pGroup/{pGroupId}/matchCounts
PUT M/pGroup/{pGroupId}/matchCounts
DELETE M/pGroup/{pGroupId}/matches
POST /owner/{owner}/matchTrial
DELETE /owner/{owner}/matchTrial/{trialId}
GET /owner/{owner}/matchTrial/{trialId}
GET /owner/{owner}/project/{project}/missingTierMatchLayers
DELETE S/hierarchicalData
GET S/hierarchicalData
PUT S/hierarchicalData
GET S/missingTierMatchLayers
POST S/pairResidualCalculation
GET S/z/{z}/clusteredTileBoundsForCollection/{matchCollection}
DELETE /owner/{owner}/project/{project}/tierData
GET /owner/{owner}/project/{project}/z/{z}/affineWarpFieldTransform
GET /owner/{owner}/project/{project}/z/{z}/affineWarpFieldTransformDebug
DELETE /imageProcessorCache/allEntries
GET /namedFilterSpecLists
GET S/tile/{tileId}/validation-info
PUT /owner/{owner}/validate-json/render
PUT /owner/{owner}/validate-json/tile
PUT /owner/{owner}/validate-json/tile-array
PUT /owner/{owner}/validate-json/transform
PUT /owner/{owner}/validate-json/transform-array
GET /serverProperties
GET /versionInfo
DELETE S/cycle
GET S/cycle
PUT S/cycle
DELETE S/defaultChannel
GET S/defaultChannel
PUT S/defaultChannel
DELETE S/materializedBoxRootPath
GET S/materializedBoxRootPath
PUT S/materializedBoxRootPath
DELETE S/mipmapPathBuilder
GET S/mipmapPathBuilder
PUT S/mipmapPathBuilder
DELETE S/resolutionValues
GET S/resolutionValues
PUT S/resolutionValues
DELETE S/section/{sectionId}
GET S/section/{sectionId}/tileBounds
PUT S/section/{sectionId}/z
GET S/layoutFile
GET S/mergeableData
GET S/mergeableZValues
GET S/mergedZValues
GET S/reorderedSectionData
GET S/resolvedTiles
GET S/transform/{transformId}
GET S/z/{z}/box/{x},{y},{width},{height}/tile-count
GET S/z/{z}/last-tile-transforms
GET S/z/{z}/layoutFile
PUT S/z/{z}/resolvedTiles
GET S/z/{z}/sectionData
PUT S/z/{z}/tileIds
GET S/zRange/{minZ},{maxZ}/layoutFile
GET /owner/{owner}/project/{project}/stackIds
GET /owner/{owner}/project/{project}/stacks
GET /owner/{owner}/projects
GET /owner/{owner}/stackIds
"""
"""What viewers, other clients and people call."""


class JavaRoute(NamedTuple):
    """One method and path of Java Render; ``short`` is the path as written in this file."""

    method: str
    short: str
    priority: str

    @property
    def path(self) -> str:
        """The template of the path below the prefix."""
        path = {"S": S, "M": M}.get(self.short[0], self.short[0]) + self.short[1:]
        return path.replace("/B/", f"{B}/")


def java_routes() -> Iterator[JavaRoute]:
    """Return all routes of Java Render."""
    for priority, text in (("P0", NEEDED), ("P1", REACHABLE), ("P2", OTHERS)):
        for line in text.split("\n"):
            if line:
                method, _, short = line.partition(" ")
                yield JavaRoute(method, short, priority)


def place(path: str) -> str:
    """Return a template with its names blanked, to compare templates that name their parts differently."""
    return re.sub(r"\{\w+\}", "{}", path)
