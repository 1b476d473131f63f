"""The one error tree.

AirledgerError
├── InputError            422  what was given cannot be used
│   └── LimitError        413  it is larger, deeper or longer than we accept
├── NotFoundError         404
├── ConflictError         409  it exists already, or is in the wrong state
├── UnauthenticatedError  401  nobody has signed in
├── ForbiddenError        403  signed in, but not allowed
├── TooManyRequestsError  429
├── UnavailableError      503  a part we need is away: try again later
└── ConfigurationError    500  the settings contradict each other

Every message is a sentence that says how to mend it. `code` is stable and machine-readable; `status` is the HTTP
status that the API answers with, as problem+json (RFC 9457).
"""


class AirledgerError(Exception):
    """Any error that Airledger raises on purpose."""

    code = "error"
    status = 500

    def __init__(self, message: str, **details: object) -> None:
        """Keep the sentence, and facts for machines beside it."""
        super().__init__(message)
        self.message = message
        self.details = details


class InputError(AirledgerError):
    """What was given cannot be used."""

    code = "invalid_input"
    status = 422


class LimitError(InputError):
    """What was given is larger, deeper or longer than we accept."""

    code = "limit_exceeded"
    status = 413


class NotFoundError(AirledgerError):
    """There is no such thing, or it belongs to somebody else."""

    code = "not_found"
    status = 404


class ConflictError(AirledgerError):
    """It exists already, or is in a state that does not allow this."""

    code = "conflict"
    status = 409


class UnauthenticatedError(AirledgerError):
    """Nobody has signed in."""

    code = "unauthenticated"
    status = 401


class ForbiddenError(AirledgerError):
    """Signed in, but not allowed to do this."""

    code = "forbidden"
    status = 403


class TooManyRequestsError(AirledgerError):
    """The caller asks more often than the limit allows."""

    code = "too_many_requests"
    status = 429


class UnavailableError(AirledgerError):
    """A part that we need is away; the same call may work later."""

    code = "unavailable"
    status = 503


class ConfigurationError(AirledgerError):
    """The settings contradict each other or are out of range."""

    code = "configuration"
