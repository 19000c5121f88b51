"""Regular expressions that come from outside: they are refused where they could take for ever."""

import math
import re

LONGEST_EXPRESSION = 200
MOST_GROUPS = 4
MOST_REPEATS = 4
MOST_STEPS = 1e8
"""What a search may take at worst: half a second."""

_ESCAPE = re.compile(r"\\.", re.DOTALL)
_CHARACTER_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
# a question mark behind another repeat makes it lazy, behind a parenthesis it names a kind of group
_REPEAT = re.compile(r"(?P<atom>[^(*+?{}])(?P<times>[*+?]|\{[^}]*\})[?+]?", re.DOTALL)


class ExpressionError(ValueError):
    """An expression that is wrong, or that could take for ever."""


class BoundedExpression:
    """A regular expression of Python whose searches end.

    Matching goes back and tries again for every repeat, so that time grows as a power of the length of the text: the
    number of repeats is bounded, groups are few and not repeated, and long texts are refused.

    Parameters
    ----------
    text : str

    Raises
    ------
    ExpressionError
    """

    def __init__(self, text: str) -> None:
        atoms = _CHARACTER_CLASS.sub("c", _ESCAPE.sub("e", text))
        repeated = [(match["atom"], match["times"]) for match in _REPEAT.finditer(atoms)]
        self._repeats = len(repeated)
        if len(text) > LONGEST_EXPRESSION:
            raise ExpressionError(f"has more than {LONGEST_EXPRESSION} characters")
        if any(atom == ")" and times != "?" for atom, times in repeated):
            raise ExpressionError("repeats a group, which can take for ever")
        if self._repeats > MOST_REPEATS or atoms.count("(") > MOST_GROUPS:
            raise ExpressionError(f"has more than {MOST_REPEATS} repeats or {MOST_GROUPS} groups")
        try:
            self._compiled = re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise ExpressionError(f"is not a regular expression: {error}") from None

    def search(self, text: str) -> re.Match[str] | None:
        """Return the first match within a text.

        Raises
        ------
        ExpressionError
            The text is so long that this could take for ever.
        """
        self._require_short(text, self._repeats + 1)
        return self._compiled.search(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of a whole text; errors are those of `search`."""
        self._require_short(text, self._repeats)
        return self._compiled.fullmatch(text)

    def _require_short(self, text: str, choices: int) -> None:
        if len(text) ** choices > MOST_STEPS * math.factorial(choices):
            raise ExpressionError(f"has too many repeats for a text of {len(text)} characters")
