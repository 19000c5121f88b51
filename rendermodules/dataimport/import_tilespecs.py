"""Make a stack of files of tile specs.

The files hold lists of tile specs or Render's resolved tiles, as JSON or packed by gzip. Shared transforms come in the
same file, in one transform_file for all, or in a file for each whose name is that of the tile specs with transform_find
(a regular expression) replaced by transform_replace. References to shared transforms stay references.

On the way images can be looked for elsewhere (image_directory, or url_find and url_replace), and z and section ids can
be set: to a fixed z, or to those of the first tile of a reference file, whose name is made by reference_find and
reference_replace. Files that share a z are written together; memory is that of the largest such group.
"""

import functools
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import renderapi
from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.groups import connected_groups
from rendermodules.core.image_urls import urls_of_tile, with_urls
from rendermodules.core.problems import InputError, Problems
from rendermodules.core.sections import Section
from rendermodules.core.tilespec_checks import check_tilespecs
from rendermodules.io.image_folders import image_urls, missing_images
from rendermodules.io.json_files import read_json
from rendermodules.io.paths import file_name, is_local, local_path
from rendermodules.io.patterns import expanded_places
from rendermodules.io.tilespecs import TilespecFile, merged_sections, read_tilespecs
from rendermodules.module.fields import Bool, Float, List, Str
from rendermodules.module.import_module import ImportModule, ImportParameters
from rendermodules.module.schemas import OutputStackParameters


class ImportTilespecsParameters(ImportParameters, OutputStackParameters):
    """The files, and what is changed on the way."""

    tilespec_files = List(Str, "paths, URLs or patterns (tiles/*.json) of files of tile specs", required=True)
    transform_file = Str("file of shared transforms for all tiles")
    transform_find = Str("regular expression for what is replaced in a tile spec file's path to get its transform file")
    transform_replace = Str(r"what transform_find is replaced by; \1 is its first group")
    skip_missing = Bool("leave out tile spec files whose transform or reference file is missing", default=False)
    image_directory = Str("folder or URL in which all images and masks are, by their names, instead of where they say")
    url_find = Str("regular expression for what is replaced in the URLs of images and masks; it must fit each")
    url_replace = Str(r"what url_find is replaced by; \1 is its first group", default="")
    check_images = Bool("look whether all images and masks exist before anything is written", default=False)
    z = Float("z for all tiles instead of their own")
    reference_find = Str("regular expression for what is replaced in a tile spec file's path to get its reference file")
    reference_replace = Str(r"what reference_find is replaced by; \1 is its first group")
    reference_z = Bool("give tiles the z of the reference file's first tile", default=True)
    reference_section_id = Bool("give tiles the section id of the reference file's first tile", default=False)
    section_id_suffix = Str("text behind the section id of the reference file, such as a channel's name", default="")
    matches_file = Str("path or URL of point matches, a list of Render's canvas matches, to import as well")
    match_collection = Str("collection that the matches go into")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "transformFile": "transform_file",
        "resolved_file": "tilespec_files",
        "collection_file": "matches_file",
        "collection": "match_collection",
        "updateZval": "reference_z",
        "updateSectionId": "reference_section_id",
    }

    @pre_load
    def accept_input_dir(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with ``inputDir`` and ``channel`` as a pattern of files."""
        if not isinstance(data, dict) or "inputDir" not in data:
            return data
        warnings.warn("the parameter inputDir is now a pattern in tilespec_files", FutureWarning, stacklevel=2)
        rest = {key: value for key, value in data.items() if key not in ("inputDir", "channel")}
        pattern = str(Path(data["inputDir"]) / f"{data.get('channel') or ''}*.json")
        return {"tilespec_files": [pattern], **rest}

    @validates_schema
    def check_pairs(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse half a rule, and rules that contradict each other."""
        for one, other in (
            ("transform_find", "transform_replace"),
            ("reference_find", "reference_replace"),
            ("matches_file", "match_collection"),
        ):
            if (data.get(one) is None) != (data.get(other) is None):
                raise ValidationError(f"{one} and {other} belong together", one)
        for one, other in (
            ("image_directory", "url_find"),
            ("transform_file", "transform_find"),
            ("z", "reference_find"),
        ):
            if data.get(one) is not None and data.get(other) is not None:
                raise ValidationError(f"give {one} or {other}, not both", one)
        for rule in ("transform", "reference", "url"):
            try:
                re.sub(data.get(f"{rule}_find") or "", data.get(f"{rule}_replace") or "", "")
            except re.error as error:
                raise ValidationError(f"no regular expression, or no replacement: {error}", f"{rule}_find") from None


def _with_url_rule(section: Section, *, folder: str | None, find: str | None, replace: str) -> Section:
    if folder is not None:
        return with_urls(section, lambda url: image_urls([file_name(url)], folder)[0])
    return with_urls(section, lambda url: re.sub(find, replace, url)) if find is not None else section


def _sections(files: Sequence[TilespecFile], *, change: Callable[[Section], Section]) -> list[Section]:
    return [change(section) for section in merged_sections(file.section() for file in files)]


def _described(files: Sequence[TilespecFile], *, stack: str) -> str:
    more = f" and {len(files) - 1} more of the same z" if len(files) > 1 else ""
    return f"{files[0].place}{more} into {stack}"


class ImportTilespecs(ImportModule):
    """Make a stack of files of tile specs, with their shared transforms and perhaps matches."""

    default_schema = ImportTilespecsParameters

    def input_files(self) -> list[str]:
        return [str(local_path(place)) for place in expanded_places(self.args["tilespec_files"]) if is_local(place)]

    def run(self) -> dict[str, Any]:
        change = functools.partial(
            _with_url_rule,
            folder=self.args["image_directory"],
            find=self.args["url_find"],
            replace=self.args["url_replace"],
        )
        groups = self._checked_groups(self._files(), change)
        matches = read_json(self.args["matches_file"]) if self.args["matches_file"] else None
        stack = self.args["output_stack"]
        with self.journal() as journal:
            results = self.write_sections(
                stack,
                groups,
                functools.partial(_sections, change=change),
                journal=journal,
                describe=functools.partial(_described, stack=stack),
                unit="groups of files",
            )
            if matches is not None and not self.dry_run:
                response = renderapi.pointmatch.import_matches(
                    self.args["match_collection"], matches, render=self.render
                )
                response.raise_for_status()
        return self.report(results)

    def _files(self) -> list[TilespecFile]:
        """Return the files with what belongs to each; those that lack something are refused, or left out."""
        places = expanded_places(self.args["tilespec_files"])
        problems = Problems("files of tile specs")
        transforms = [self.args["transform_file"] or self._derived(place, "transform", problems) for place in places]
        references = [self._derived(place, "reference", problems) for place in places]
        missing = missing_images(place for place in (*transforms, *references) if place)
        files = []
        for place, transform, reference in zip(places, transforms, references, strict=True):
            lacking = [name for name in (transform, reference) if name and name in missing]
            if not lacking:
                files.append(self._file(place, transform, reference))
            elif self.args["skip_missing"]:
                self.logger.warning("%s is left out: there is no %s", place, lacking[0])
            else:
                problems.add("the transform or reference file is missing", f"{place} ({', '.join(lacking)})")
        if not files and not problems:
            problems.add("all are left out", f"{len(places)} files")
        problems.raise_if_any()
        return files

    def _derived(self, place: str, rule: str, problems: Problems) -> str | None:
        """Return the name of a file that belongs to one of tile specs; notes where the rule does not fit."""
        find = self.args[f"{rule}_find"]
        if find is None:
            return None
        name, count = re.subn(find, self.args[f"{rule}_replace"], place)
        if not count:
            problems.add(f"{rule}_find {find} does not fit", place)
        return name

    def _file(self, place: str, transform: str | None, reference: str | None) -> TilespecFile:
        z, section_id = self.args["z"], None
        if reference:
            first = read_tilespecs(reference).tiles[0]
            z = first["z"] if self.args["reference_z"] else None
            if self.args["reference_section_id"]:
                section_id = f"{first['layout']['sectionId']}{self.args['section_id_suffix']}"
        return TilespecFile(place, transform, z, section_id)

    def _checked_groups(
        self, files: Sequence[TilespecFile], change: Callable[[Section], Section]
    ) -> list[list[TilespecFile]]:
        """Return the files in groups that share no z; raise an `InputError` that names everything wrong with them."""
        problems = Problems("files of tile specs")
        place_of_id: dict[str, str] = {}
        place_of_url: dict[str, str] = {}
        zs: list[set[float]] = []
        for file in files:
            try:
                section = file.section()
            except (InputError, OSError) as error:
                problems.add("cannot be read", str(error))
                zs.append(set())
                continue
            check_tilespecs(section, file.place, problems)
            zs.append({tile.get("z", 0.0) for tile in section.tiles})
            for tile in section.tiles:
                first = place_of_id.setdefault(tile["tileId"], file.place)
                if first is not file.place:
                    problems.add("one tile id in two files", f"{file.place} and {first} ({tile['tileId']})")
                self._check_url_rule(tile, file.place, problems)
            if self.args["check_images"]:
                urls = (url for tile in change(section).tiles for url in urls_of_tile(tile))
                place_of_url.update(dict.fromkeys(urls, file.place))
        for url in sorted(missing_images(place_of_url)):
            problems.add("the image does not exist", f"{place_of_url[url]} ({url})")
        problems.raise_if_any()
        return [[files[index] for index in group] for group in connected_groups(zs)]

    def _check_url_rule(self, tile: dict[str, Any], place: str, problems: Problems) -> None:
        find = self.args["url_find"]
        for url in urls_of_tile(tile) if find is not None else ():
            if not re.search(find, url):
                problems.add(f"url_find {find} does not fit", f"{place} ({tile['tileId']}: {url})")


if __name__ == "__main__":
    raise SystemExit(ImportTilespecs.main())
