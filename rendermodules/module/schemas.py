"""Parameters that several modules share, as schemas to mix together.

A mixin holds fields, checks and the old spellings that it still takes; it has no ``__init__``.
"""

import os
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import argschema
from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.identifiers import check_name
from rendermodules.core.problems import InputError
from rendermodules.module.fields import (
    Bool,
    Float,
    InputFile,
    Int,
    Json,
    List,
    LogLevel,
    Nested,
    OutputFile,
    Str,
)

ENVIRONMENT = {
    "host": "RENDER_HOST",
    "port": "RENDER_PORT",
    "owner": "RENDER_OWNER",
    "project": "RENDER_PROJECT",
    "client_scripts": "RENDER_CLIENT_SCRIPTS",
}
"""Keys of the connection and the environment variables that stand in for them."""


COMMENT = "//"
"""A key of parameters that begins so is a comment."""


class DefaultSchema(argschema.schemas.DefaultSchema):
    """A schema that takes old spellings of its keys, and comments.

    Attributes
    ----------
    aliases : dict of str to str or None
        Old key to key. The old one is used, with a warning, where the new one is absent; None is a key that is no
        longer needed.
    environment : dict of str to str
        Key to the environment variable that stands in for it where it is absent.
    shorthand : str or None
        Key that a mere text stands for, where an object would only have this one.
    """

    aliases: ClassVar[Mapping[str, str | None]] = {}
    environment: ClassVar[Mapping[str, str]] = {}
    shorthand: ClassVar[str | None] = None

    # argschema fills in defaults in a hook named make_object; hooks run in the order of their names
    @pre_load
    def accept_a_text(self, data: Any, **_: Any) -> Any:
        """Return a text as the object that it stands for; refuse what is no object."""
        if self.shorthand and isinstance(data, str):
            return {self.shorthand: data}
        if not isinstance(data, Mapping):
            raise ValidationError("Not an object.")
        return data

    @pre_load
    def accept_comments(self, data: Any, **_: Any) -> Any:
        """Return the data without the keys that are comments."""
        return {key: value for key, value in data.items() if not str(key).startswith(COMMENT)}

    @pre_load
    def accept_aliases(self, data: Any, **_: Any) -> Any:
        """Return the data with every old key renamed."""
        renamed = dict(data)
        for old, new in self.all_aliases().items():
            if old in renamed and old not in self.fields:
                fate = f"is now called {new}" if new else "is no longer needed"
                warnings.warn(f"the parameter {old} {fate}", FutureWarning, stacklevel=2)
                value = renamed.pop(old)
                if new:
                    renamed.setdefault(new, value)
        return renamed

    @pre_load
    def fill_from_environment(self, data: Any, **_: Any) -> Any:
        """Return the data with absent keys taken from the environment."""
        if not self.environment:
            return data
        present = {key: os.environ[name] for key, name in self.environment.items() if os.environ.get(name)}
        return {**present, **{key: value for key, value in data.items() if value is not None}}

    @classmethod
    def all_aliases(cls) -> dict[str, str | None]:
        """Return the aliases of this schema and of those that it is mixed from."""
        aliases: dict[str, str | None] = {}
        for schema in reversed(cls.__mro__):
            aliases.update(vars(schema).get("aliases", {}))
        return aliases


class RenderClientParameters(DefaultSchema):
    """Where the Render service is, and whose project."""

    host = Str(
        "http://server, a server's name, or the path of an embedded store such as render.db; else RENDER_HOST",
        required=True,
    )
    port = Int("port of the service; else RENDER_PORT", minimum=1, maximum=65535)
    owner = Str("owner of the project; else RENDER_OWNER", required=True)
    project = Str("project; else RENDER_PROJECT", required=True)
    client_scripts = Str(
        "folder of run_ws_client.sh, needed only by programs that start Java clients; else RENDER_CLIENT_SCRIPTS"
    )
    memGB = Str("memory of a Java client, such as 5G", default="5G")

    environment: ClassVar[Mapping[str, str]] = ENVIRONMENT

    @validates_schema
    def check_names(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse names that would lead to another project."""
        for key in ("owner", "project"):
            try:
                check_name(key, data[key])
            except InputError as error:
                raise ValidationError(str(error), key) from None


class ModuleParameters(DefaultSchema, argschema.ArgSchema):
    """What every module takes."""

    input_json = InputFile("file with the parameters as JSON; the command line wins over it")
    output_json = OutputFile("file for the result as JSON; it appears whole or not at all")
    log_level = LogLevel("how much is reported: DEBUG, INFO, WARNING or ERROR", default="INFO")
    log_json = Bool("write the log as JSON lines, with the progress as numbers, for programs to read", default=False)
    dry_run = Bool("say what would be done and write nothing", default=False)


class RenderParameters(ModuleParameters):
    """What every module that talks to Render takes."""

    render = Nested(RenderClientParameters, "connection to Render", default={})


class ZValueParameters(DefaultSchema):
    """Which sections: ``zValues``, or ``z``, or all between ``minZ`` and ``maxZ``; all of the stack by default."""

    zValues = List(Float, "z of the sections to process; fractions are allowed")
    z = Float("z of the one section to process")
    minZ = Float("first z to process, itself included")
    maxZ = Float("last z to process, itself included")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "z_index": "z",
        "zstart": "minZ",
        "zend": "maxZ",
        "zs": "zValues",
        "zmin": "minZ",
        "zmax": "maxZ",
        "minz": "minZ",
        "maxz": "maxZ",
    }

    @validates_schema
    def check_z_selection(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a selection that contradicts itself or is empty."""
        ways = [data.get("zValues") is not None, data.get("z") is not None]
        ways.append(data.get("minZ") is not None or data.get("maxZ") is not None)
        if sum(ways) > 1:
            raise ValidationError("give zValues, or z, or minZ and maxZ, not several of them", "zValues")
        if data.get("zValues") == []:
            raise ValidationError("an empty list selects no section; leave it out to process all", "zValues")
        if None not in (data.get("minZ"), data.get("maxZ")) and data["minZ"] > data["maxZ"]:
            raise ValidationError("minZ is greater than maxZ", "minZ")


class BoxParameters(DefaultSchema):
    """A box in world pixels."""

    minX = Float("left edge in world pixels")
    minY = Float("upper edge in world pixels")
    maxX = Float("right edge in world pixels, itself excluded")
    maxY = Float("lower edge in world pixels, itself excluded")

    @validates_schema
    def check_box(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an empty box."""
        for low, high in (("minX", "maxX"), ("minY", "maxY")):
            if None not in (data.get(low), data.get(high)) and data[low] >= data[high]:
                raise ValidationError(f"{low} must be less than {high}", low)


class ChannelParameters(DefaultSchema):
    """Which channels of multichannel tiles."""

    channels = List(Str, "names of the channels to process; all by default")


class _ClusterParameters(DefaultSchema):
    """A cluster that Dask starts by itself."""

    type = Str(
        "kind of batch system",
        required=True,
        choices=["SLURMCluster", "PBSCluster", "LSFCluster", "SGECluster", "LocalCluster"],
    )
    jobs = Int("number of jobs to start", default=1, minimum=1)
    options = Json("options of the dask_jobqueue class, such as cores, memory, queue, walltime", default={})


class PoolParameters(DefaultSchema):
    """Who does the work."""

    pool_size = Int("number of workers on this machine; the result does not depend on it", default=1, minimum=1)
    pool_kind = Str("workers are processes or threads", default="processes", choices=["processes", "threads"])
    dask_scheduler = Str("address of a Dask scheduler, such as tcp://node:8786, that replaces the pool of this machine")
    cluster = Nested(_ClusterParameters, "batch system on which Dask workers are started for this run")
    resume = Bool("continue a killed run of the same parameters where it stopped", default=True)


class InputStackParameters(ZValueParameters):
    """The stack that is read."""

    input_stack = Str("stack to read", required=True)

    aliases: ClassVar[Mapping[str, str | None]] = {"inputStack": "input_stack", "stack": "input_stack"}


class StackWritingParameters(DefaultSchema):
    """How stacks are written."""

    close_stack = Bool("set the output stack COMPLETE at the end; false when several jobs write into it", default=True)
    overwrite_zlayer = Bool("remove what the output stack has at a z before that z is written", default=False)


class OutputStackParameters(StackWritingParameters):
    """The stack that is written."""

    output_stack = Str("stack to write; made when it does not exist", required=True)

    aliases: ClassVar[Mapping[str, str | None]] = {"outputStack": "output_stack"}


class MatchOwnerParameters(DefaultSchema):
    """Whose match collections."""

    match_owner = Str("owner of the match collections; that of the connection by default")


class InputCollectionParameters(MatchOwnerParameters):
    """The matches that are read."""

    input_collection = Str("match collection to read", required=True)

    aliases: ClassVar[Mapping[str, str | None]] = dict.fromkeys(
        ("matchcollection", "matchCollection", "match_collection", "collection", "input_match_collection"),
        "input_collection",
    )


class OutputCollectionParameters(MatchOwnerParameters):
    """The matches that are written."""

    output_collection = Str("match collection to write; made when it does not exist", required=True)


class SectionIdParameters(DefaultSchema):
    """Whether section ids follow a new z."""

    remap_sectionId = Bool(
        "give all tiles of a section the section id that sectionId_format makes of its new z; matches are found by it",
        default=False,
    )
    sectionId_format = Str("section id, {z} in it being the new z with Python's formats", default="{z:.1f}")

    @validates_schema
    def check_section_id_format(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what cannot be filled with a number called z."""
        try:
            data["sectionId_format"].format(z=1.5)
        except (LookupError, ValueError):
            raise ValidationError("is no format of a number z, such as {z:.1f}", "sectionId_format") from None


class SectionMapParameters(RenderParameters, InputStackParameters, OutputStackParameters, PoolParameters):
    """A stack in, one function per section, a stack out."""


class OutputParameters(DefaultSchema):
    """What every module reports."""

    provenance = Json("module, version, parameters, times and inputs of the run")


class SectionMapOutput(OutputParameters):
    """What was written."""

    input_stack = Str("stack that was read", required=True)
    output_stack = Str("stack that was written", required=True)
    zValues = List(Float, "z of the sections written", required=True)
    tile_count = Int("number of tiles written", required=True)
    skipped = Json("sections that were not written, with the reason")
