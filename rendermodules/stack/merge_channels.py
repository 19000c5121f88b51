"""Put the images of several stacks as channels into the tiles of one.

Array tomography images the same places once for every stain, and again in later sessions. ``input_stack`` says where
the tiles lie; every entry of ``channel_stacks`` adds the images of a further stack as channels. Tiles belong together
by the frame number in the names of their images, by their ids, or by row and column of their layout.

For stacks without channels an entry gives the channel's name. Stacks with channels add all of them, or the one that the
entry names; a ``suffix`` tells those of several sessions apart. With ``keep_channels`` false the channels that the
tiles of ``input_stack`` have are left out, for when it is itself one of the entries.
"""

import functools
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.channel_merging import ChannelSource, with_channels_merged
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.core.tile_partners import tile_key
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, NestedList, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import DefaultSchema, SectionMapParameters


class ChannelStackParameters(DefaultSchema):
    """A stack that gives channels."""

    stack = Str("stack that gives the images", required=True)
    channel = Str("name of the channel; where its tiles have channels, the one to take, all by default")
    suffix = Str("put behind the channels' names", default="")

    aliases: ClassVar[Mapping[str, str | None]] = {"channel_suffix": "suffix"}


class MergeChannelsParameters(SectionMapParameters):
    """Parameters of merge_channels."""

    input_stack = Str("stack that says where the tiles lie", required=True)
    channel_stacks = NestedList(ChannelStackParameters, "stacks that give channels, in their order", required=True)
    match_by = Str(
        "what tiles that belong together have in common: frame (the number in the name of the image), tileId, or "
        "layout (row and column)",
        default="frame",
        choices=["frame", "tileId", "layout"],
    )
    frame_pattern = Str(
        "regular expression with one group, the frame number; its last place counts", default=r"_F(\d+)"
    )
    keep_channels = Bool("keep the channels that the tiles of input_stack have, before the new ones", default=True)
    first_channel = Str(
        "channels with this text in their names come first, and so are what Render shows by default", default="DAPI"
    )
    missing_tiles = Str(
        "refuse: every tile must have its partner in every stack; skip: leave the channel out of tiles without one",
        default="refuse",
        choices=["refuse", "skip"],
    )

    aliases: ClassVar[Mapping[str, str | None]] = {"base_stack": "input_stack"}

    # hooks run in the order of their names: this one before the defaults are filled in
    @pre_load
    def accept_old_channel_stacks(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with an object of channel to stack, or ``session_stacks``, as a list of entries."""
        changed = dict(data)
        if isinstance(data.get("channel_stacks"), dict):
            warnings.warn("channel_stacks is now a list of stack and channel", FutureWarning, stacklevel=2)
            changed["channel_stacks"] = [
                {"channel": name, "stack": stack} for name, stack in data["channel_stacks"].items()
            ]
        if "session_stacks" in data:
            warnings.warn("session_stacks is now called channel_stacks", FutureWarning, stacklevel=2)
            changed.setdefault("channel_stacks", changed.pop("session_stacks"))
            changed.setdefault("keep_channels", False)
        return changed

    @validates_schema
    def check_frame_pattern(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is no regular expression with one group."""
        try:
            groups = re.compile(data["frame_pattern"]).groups
        except re.error as error:
            raise ValidationError(f"is no regular expression: {error}", "frame_pattern") from None
        if groups != 1:
            raise ValidationError(f"needs one group, the number, and has {groups}", "frame_pattern")


def _merged(*sections: Section, match_by: str, frame_pattern: str, **options: Any) -> Section:
    return with_channels_merged(*sections, key=tile_key(match_by, frame_pattern), **options)


class MergeChannels(SectionMapModule):
    """Put the images of several stacks as channels into the tiles of one."""

    default_schema = MergeChannelsParameters

    def further_stacks(self) -> list[str]:
        return [entry["stack"] for entry in self.args["channel_stacks"]]

    def section_task(self) -> Callable[..., Section]:
        skip = self.args["missing_tiles"] == "skip"
        if not skip:
            self._check_sections()
        return functools.partial(
            _merged,
            sources=[ChannelSource(**entry) for entry in self.args["channel_stacks"]],
            match_by=self.args["match_by"],
            frame_pattern=self.args["frame_pattern"],
            keep_channels=self.args["keep_channels"],
            first_channel=self.args["first_channel"],
            missing_ok=skip,
        )

    def _check_sections(self) -> None:
        """Refuse, before anything is written, sections that a stack does not have."""
        zs = set(self.zvalues())
        missing = {name: sorted(zs.difference(stacks.z_values(self.render, name))) for name in self.further_stacks()}
        texts = [f"stack {name} has no section at z {listed(lacking)}" for name, lacking in missing.items() if lacking]
        if texts:
            raise RenderModuleError(f"{'; '.join(texts)}; missing_tiles skip leaves these channels out")


if __name__ == "__main__":
    raise SystemExit(MergeChannels.main())
