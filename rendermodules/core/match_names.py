"""Other names for the sections and tiles of point matches, by patterns."""

import re
from dataclasses import dataclass, replace

from rendermodules.core.pointmatches import PointMatches, renamed


@dataclass(frozen=True)
class NamePatterns:
    r"""How section and tile ids are changed.

    Attributes
    ----------
    group_find, group_replace : str, optional
        Regular expression for section ids, and what takes the place of its first match; groups as ``\\1``.
    id_find, id_replace : str, optional
        The same for tile ids.
    """

    group_find: str | None = None
    group_replace: str | None = None
    id_find: str | None = None
    id_replace: str | None = None

    def group(self, name: str) -> str:
        """Return the new id of a section; one that does not fit the pattern is kept."""
        return _changed(name, self.group_find, self.group_replace)

    def id(self, name: str) -> str:
        """Return the new id of a tile; one that does not fit the pattern is kept."""
        return _changed(name, self.id_find, self.id_replace)

    def renamed(self, matches: PointMatches) -> PointMatches:
        """Return matches under the new ids, in Render's order."""
        if matches.consensus_set is not None:
            changed = {
                key: self.id(value) if key in ("originalPId", "originalQId") else value
                for key, value in matches.consensus_set.items()
            }
            matches = replace(matches, consensus_set=changed)
        p, q = (
            (self.group(group), self.id(name))
            for group, name in ((matches.p_group_id, matches.p_id), (matches.q_group_id, matches.q_id))
        )
        return renamed(matches, p, q)


def pattern_problem(find: str | None, replacement: str | None) -> str | None:
    """Return what is wrong with a pattern and its replacement, which belong together; None if nothing is."""
    if (find is None) != (replacement is None):
        return "find and replace belong together"
    if find is None or replacement is None:
        return None
    try:
        # templates are only read when something is found
        re.compile(f"(?:{find})|").sub(replacement, "", count=1)
    except (re.error, IndexError) as error:
        return f"is no regular expression with its replacement: {error}"
    return None


def _changed(name: str, find: str | None, replacement: str | None) -> str:
    return name if find is None or replacement is None else re.sub(find, replacement, name, count=1)
