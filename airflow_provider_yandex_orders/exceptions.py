# SPDX-License-Identifier: Apache-2.0
"""Every error this package raises: permanent ones fail a task at once, passing ones let it try again.

A message says what was being done, what the service or the data said, which row or file, and what to do next.
It never holds a token, an e-mail address, a phone number or a name.
"""

from __future__ import annotations

from typing import NamedTuple

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException


class Answer(NamedTuple):
    """What a service answered, for code that wants more than the message.

    :param method: HTTP method of the request.
    :param path: its path, without the query.
    :param http_status: status code; ``None`` when no answer came.
    :param error_type: the service's own word for the error, where it gave one.
    :param said: its own words, without what looks personal.
    """

    method: str
    path: str
    http_status: int | None = None
    error_type: str | None = None
    said: str = ""


class PermanentError(AirflowFailException):
    """Trying again cannot help: Airflow fails the task without a retry."""


class PassingError(AirflowException):
    """Trying again later can help.

    :param retry_after: seconds to wait before the next try, where the service said so.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(PermanentError):
    """A connection or an argument is missing or cannot work."""


class SourceError(PermanentError):
    """The rows cannot be read: no such file, an unknown column, a query the database refuses."""


class SourceUnavailable(PassingError):
    """The place the rows come from did not answer."""


class RejectedRowsError(PermanentError):
    """More rows are bad than ``max_rejected`` allows; nothing was sent."""


class UploadFailedError(PermanentError):
    """The service took a file and then judged it bad."""


class UploadUnclearError(PermanentError):
    """Nobody knows whether a file arrived, and sending it again could count its rows twice."""


class ServiceRefused(PermanentError):
    """The service said no, and will say so again.

    :param answer: the request and what came back.
    :param maybe_applied: the request may have taken effect in part all the same.
    """

    def __init__(self, message: str = "", *, answer: Answer | None = None, maybe_applied: bool = False) -> None:
        super().__init__(message)
        self.answer = answer
        self.maybe_applied = maybe_applied
        self.repeated = False
        """Whether an earlier attempt, whose answer was lost, may have taken effect."""


class ServiceUnavailable(PassingError):
    """The service did not answer, or answered that it cannot now.

    :param answer: the request and what came back.
    :param maybe_applied: the request may have taken effect all the same.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        answer: Answer | None = None,
        maybe_applied: bool = False,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.answer = answer
        self.maybe_applied = maybe_applied


class QuotaExceeded(ServiceUnavailable):
    """A quota of the service is used up; ``retry_after`` says when it is whole again."""


class JournalUnavailable(PassingError):
    """The journal's database does not answer; what it did not answer was not done."""
