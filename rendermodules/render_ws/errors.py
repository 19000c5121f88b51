"""What can go wrong in a request; each class knows its HTTP status.

Java Render answers some client's mistakes with another status than HTTP suggests: 500 for a
stack in the wrong state, 404 for a number that does not parse. ``java_status`` is that code;
a strict service sends it, the default service sends ``status``.
"""


class ServiceError(Exception):
    """A request that cannot be served; its text is the body of the answer.

    Attributes
    ----------
    status : int
        HTTP status of the default service.
    java_status : int or None
        Status in strict mode; None when it is the same.
    """

    status = 500
    java_status: int | None = None

    def status_for(self, strict: bool) -> int:
        """Return the HTTP status, of Java Render when ``strict``."""
        return self.java_status if strict and self.java_status is not None else self.status


class InvalidRequest(ServiceError):
    """The request itself is wrong: a missing body, a bad value, an illegal name."""

    status = 400


class UnparsableParameter(InvalidRequest):
    """A parameter of the path or the query is not a number or a word of its list."""

    java_status = 404


class NotAuthorized(ServiceError):
    """The request carries no token, or a wrong one."""

    status = 401


class Forbidden(ServiceError):
    """The request asks for something outside what the operator allows, such as a file elsewhere."""

    status = 403


class NotFound(ServiceError):
    """The stack, tile, collection or transform does not exist."""

    status = 404


class IllegalState(ServiceError):
    """The stack exists, but its state does not permit the change."""

    status = 409
    java_status = 500


class Unprocessable(ServiceError):
    """The data asked for cannot be derived, such as a tile with a dangling reference."""

    status = 422
    java_status = 500


class TooLarge(ServiceError):
    """A body, an image or a number of tiles is above a limit of this service."""

    status = 413


class UnsupportedMediaType(ServiceError):
    """The body does not have the content type that the route takes."""

    status = 415


class NotAcceptable(ServiceError):
    """The client accepts only content types that the route does not produce."""

    status = 406


class Misdirected(ServiceError):
    """The request was sent to a name that is not this service's."""

    status = 421


class NotAnswered(ServiceError):
    """The route exists in Java Render but not here."""

    status = 501


class StorageFull(ServiceError):
    """The disk is full; the change was undone."""

    status = 507


class StorageBusy(ServiceError):
    """Another program holds the store for longer than the time-out."""

    status = 503


class StoreError(ServiceError):
    """The store file cannot be used: not a store, from a newer version, in a read-only folder."""

    status = 500
