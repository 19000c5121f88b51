"""Command lines of Render's client programs, read as they read them (with JCommander).

Options have two dashes; a value is the next word, whatever it begins with. Some truth values need a word behind them
(``--doFilter true``) and some are set by their mere presence; the latter may have a word too, since render-python
writes it there. ``@file`` stands for the lines of a file, one word each.
"""

import difflib
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rendermodules.render_ws.errors import ServiceError

TRUTH = {"true": True, "false": False}
_INDENT = 36
_WIDTH = 118


class UsageError(ServiceError):
    """A command line that the client does not understand."""


class Takes(Enum):
    """What follows the name of an option."""

    ONE = "one word"
    MANY = "all words up to the next option"
    TRUTH = "true or false"
    PERHAPS_TRUTH = "nothing, or true or false"


@dataclass(frozen=True)
class Option:
    """An option of a client.

    Attributes
    ----------
    name : str
        Without dashes, spelled as in Java.
    help : str
        What it is, with its unit.
    convert : callable
        From a word to the value; a ``ValueError`` says what is wrong with it.
    default : object
    required : bool
    takes : Takes
    is_used : bool
        Otherwise it is taken for the sake of old scripts, with a warning.
    """

    name: str
    help: str
    convert: Callable[[str], Any] = str
    default: Any = None
    required: bool = False
    takes: Takes = Takes.ONE
    is_used: bool = True


@dataclass(frozen=True)
class Rest:
    """The words that belong to no option.

    Attributes
    ----------
    name : str
        That of an option with any number of words when they mean the same; they then come behind these.
    help : str
    convert : callable
        From a word to the value.
    required : bool
        Whether there must be at least one.
    """

    name: str
    help: str
    convert: Callable[[str], Any] = str
    required: bool = True


@dataclass(frozen=True)
class Client:
    """A client program.

    Attributes
    ----------
    summary : str
        What it does, in a line.
    run : callable
        Takes the values of the options as attributes; errors are exceptions.
    options : tuple of Option
    rest : Rest, optional
        Without it words that belong to no option are refused.
    """

    summary: str
    run: Callable[[Any], None]
    options: tuple[Option, ...]
    rest: Rest | None = None


def text(name: str, help: str, default: str | None = None, *, required: bool = False) -> Option:
    """Return an option with one word."""
    return Option(name, help, default=default, required=required)


def choice(
    name: str, help: str, choices: Iterable[str], default: str | None = None, *, required: bool = False
) -> Option:
    """Return an option with one word of several."""
    words = tuple(choices)

    def checked(word: str) -> str:
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return Option(name, f"{help}: {', '.join(words)}", checked, default, required)


def number(name: str, help: str, default: float | None = None, *, required: bool = False) -> Option:
    """Return an option with a number."""
    return Option(name, help, a_number, default, required)


def whole(name: str, help: str, default: int | None = None, *, required: bool = False) -> Option:
    """Return an option with a whole number."""
    return Option(name, help, a_whole_number, default, required)


def switch(name: str, help: str, default: bool) -> Option:
    """Return an option that needs the word true or false."""
    return Option(name, help, _truth, default, takes=Takes.TRUTH)


def flag(name: str, help: str) -> Option:
    """Return an option that is true when it is there."""
    return Option(name, help, _truth, False, takes=Takes.PERHAPS_TRUTH)


def many(name: str, help: str, convert: Callable[[str], Any] = str, *, required: bool = False) -> Option:
    """Return an option with any number of words; its value is a list, empty by default."""
    return Option(name, help, convert, (), required, Takes.MANY)


def image_format(default: str) -> Option:
    """Return the option ``format``, a format that images are written in; its value is in small letters."""
    from rendermodules.io.mipmaps import EXTENSIONS, extension_of

    def checked(word: str) -> str:
        try:
            extension_of(word)
        except ValueError:
            raise ValueError(f"one of {', '.join(EXTENSIONS)}") from None
        return word.lower()

    return Option("format", "of the images: tif, png or jpg", checked, default)


def unused(name: str, takes: Takes = Takes.ONE) -> Option:
    """Return an option that is accepted and changes nothing."""
    return Option(name, "accepted, has no effect", takes=takes, is_used=False)


def a_number(word: str) -> float:
    """Return a word as a finite number."""
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("a number")
    return number


def a_whole_number(word: str) -> int:
    """Return a word as a whole number."""
    try:
        return int(word)
    except ValueError:
        raise ValueError("a whole number") from None


def _truth(word: str) -> bool:
    try:
        return TRUTH[word.lower()]
    except KeyError:
        raise ValueError("true or false") from None


def parsed(client: Client, words: Sequence[str]) -> tuple[SimpleNamespace, list[str]]:
    """Return the values of a command line, and the names of options that have no effect.

    Parameters
    ----------
    client : Client
    words : sequence of str
        What is behind the name of the client.

    Returns
    -------
    SimpleNamespace
        One attribute for each option and for the rest, under their names.
    list of str
        Options that were given and are not used.

    Raises
    ------
    UsageError
        An option is unknown, comes twice, lacks its value or has a wrong one, a required one is missing, or a file of
        words cannot be read.
    """
    known = {f"--{option.name}": option for option in client.options}
    given: dict[str, list[Any]] = {}
    rest: list[str] = []
    waiting = deque(_expanded(words))
    while waiting:
        word = waiting.popleft()
        if word in known:
            _take(known[word], waiting, given)
        elif word.startswith("--"):
            near = difflib.get_close_matches(word, known, n=1)
            raise UsageError(f"unknown option {word}" + (f"; did you mean {near[0]}?" if near else ""))
        else:
            rest.append(word)
    values = {option.name: _value(option, given.get(option.name)) for option in client.options}
    if client.rest is None and rest:
        raise UsageError(f"{rest[0]} belongs to no option")
    if client.rest is not None:
        if client.rest.required and not rest:
            raise UsageError(f"{client.rest.name} is missing: {client.rest.help}")
        converted = [_converted(client.rest.name, client.rest.convert, word) for word in rest]
        values[client.rest.name] = [*values.get(client.rest.name, ()), *converted]
    idle = [option.name for option in client.options if option.name in given and not option.is_used]
    return SimpleNamespace(**values), idle


def _expanded(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        if word.startswith("@"):
            yield from _words_of_file(word[1:])
        else:
            yield word


def _words_of_file(name: str) -> Iterable[str]:
    try:
        lines = Path(name).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"@{name}: the words in this file cannot be read: {error}") from None
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _take(option: Option, waiting: deque[str], given: dict[str, list[Any]]) -> None:
    """Take the words of an option from those that wait."""
    words = []
    if option.takes is Takes.MANY:
        while waiting and not waiting[0].startswith("--"):
            words.append(waiting.popleft())
        if not words:
            raise UsageError(f"--{option.name} needs at least one value")
    elif option.takes is Takes.PERHAPS_TRUTH:
        words = [waiting.popleft() if waiting and waiting[0].lower() in TRUTH else "true"]
    elif waiting:
        words = [waiting.popleft()]
    else:
        raise UsageError(f"--{option.name} needs a value")
    values = [_converted(f"--{option.name}", option.convert, word) for word in words]
    if option.name in given and option.takes is not Takes.MANY:
        raise UsageError(f"--{option.name} comes twice")
    given.setdefault(option.name, []).extend(values)


def _converted(name: str, convert: Callable[[str], Any], word: str) -> Any:
    try:
        return convert(word)
    except ValueError as error:
        raise UsageError(f"{name} must be {error}, not {word!r}") from None


def _value(option: Option, given: list[Any] | None) -> Any:
    if given is None:
        if option.required:
            raise UsageError(f"--{option.name} is missing: {option.help}")
        return list(option.default) if option.takes is Takes.MANY else option.default
    return given if option.takes is Takes.MANY else given[0]


def usage(client: Client, name: str) -> str:
    """Return what a client does and its options, for a person to read."""
    rest = "" if client.rest is None else f" {client.rest.name} ..."
    lines = [f"usage: run_ws_client.sh HEAP {name} [options]{rest}", f"  {client.summary}", ""]
    if client.rest is not None:
        lines.append(_described(f"{client.rest.name} ...", client.rest.help))
    lines += [_described(f"--{option.name}", _remark(option)) for option in client.options]
    return "\n".join(lines) + "\n"


def _remark(option: Option) -> str:
    if option.required:
        return f"{option.help} (required)"
    default = str(option.default).lower() if isinstance(option.default, bool) else option.default
    return option.help if default in (None, ()) else f"{option.help} (default: {default})"


def _described(name: str, remark: str) -> str:
    import textwrap

    indent = " " * _INDENT
    first = f"  {name}".ljust(_INDENT - 1) + " "
    return textwrap.fill(remark, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
