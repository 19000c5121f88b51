"""What a module raises when it cannot do what was asked."""

from rendermodules.core.problems import InputError


class RenderModuleError(Exception):
    """The module cannot do what was asked: shown as one line, exit status 1."""


class ConnectionParametersError(RenderModuleError, ValueError):
    """The connection to Render is not described well enough."""


class ItemError(RenderModuleError):
    """One unit of work failed.

    Parameters
    ----------
    item : str
        The unit in words, such as ``section z=1037.0 of raw``.
    reason : str
        What went wrong.
    details : str, optional
        The traceback of the worker, shown at log level DEBUG.
    """

    def __init__(self, item: str, reason: str, details: str = "") -> None:
        super().__init__(item, reason, details)
        self.item = item
        self.reason = reason
        self.details = details

    def __str__(self) -> str:
        return f"{self.item}: {self.reason}"


class SectionError(ItemError):
    """One section of a stack failed; the output stack stays LOADING."""


def short_reason(error: BaseException, length: int = 600) -> str:
    """Return an error in one line, cut where it is not ours: render-python's quote the whole body that was sent."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (RenderModuleError, InputError)):
        return text
    if len(text) > length:
        text = f"{text[: length // 2]} ... {text[-length // 2 :]}"
    return text if isinstance(error, OSError) else f"{type(error).__name__}: {text}"


def explained(error: BaseException) -> str:
    """Return an error in one line, with what to do about one that a person can mend."""
    import requests

    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return f"Render does not answer; is render.host right and the service running? ({short_reason(error, 300)})"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"Render broke off in the middle of an answer; start again to go on ({short_reason(error)})"
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return f"an answer of Render is not JSON ({short_reason(error)})"
    return short_reason(error)
