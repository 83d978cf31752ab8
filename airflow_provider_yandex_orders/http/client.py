# SPDX-License-Identifier: Apache-2.0
"""One door for every request: headers, time-outs, retries, and errors that say what to do."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from urllib3 import exceptions as urllib3_errors

from airflow_provider_yandex_orders import __version__
from airflow_provider_yandex_orders.exceptions import (
    Answer,
    ConfigurationError,
    QuotaExceeded,
    ServiceRefused,
    ServiceUnavailable,
)
from airflow_provider_yandex_orders.http.answers import EndingAnswers, TooSlow, most_seconds
from airflow_provider_yandex_orders.http.body import Content, FileBody
from airflow_provider_yandex_orders.http.failures import Failure, FailureKind, FailureReader
from airflow_provider_yandex_orders.privacy import scrub

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 30.0
READ_TIMEOUT = 300.0
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of an answer, unpacked; the services' own have a few megabytes at most."""
LONGEST_PAUSE = 60.0
"""A wait above this many seconds is Airflow's, not ours: a pause inside the task holds its slot."""

_BAD_ADDRESS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
)
_NO_TLS = ("wrong version number", "record layer failure", "packet length too long")
"""What OpenSSL makes of an answer that is plain HTTP."""
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
"""Whatever is escaped in JSON; a group where it is half a sign."""
_TOKEN_HEADERS = ("Authorization", "Api-Key")
_backoff = wait_exponential_jitter(initial=1, max=30, jitter=2)


class _TooLong(requests.RequestException):
    """An answer is longer than any that is one."""


class ServiceClient:
    """Sends requests to one service and gives back decoded JSON.

    Short troubles are waited out here, as long as the service says or else with growing, jittered pauses.
    Long ones are raised with ``retry_after``, so that Airflow waits and the slot is free.

    :param service: the service's name, for messages.
    :param base_url: scheme, host and port, with a path prefix if the host has one.
    :param headers: sent with every request; they hold the token and never appear in a message.
    :param read_failure: tells a good answer from a bad one.
    :param attempts: how often one request is tried, the first time included.
    :param timeout: seconds to connect (also the limit for each block of an upload) and to wait for the answer, or for
        more of it.
    """

    def __init__(
        self,
        *,
        service: str,
        base_url: str,
        headers: Mapping[str, str],
        read_failure: FailureReader,
        attempts: int = 5,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
    ) -> None:
        self.service = service
        self.base_url = base_url.rstrip("/")
        self.attempts = attempts
        self.timeout = timeout
        self.sent = 0
        """Requests sent so far, repeated ones included."""
        self._read_failure = read_failure
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.session.auth = _as_it_is
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, EndingAnswers())
        self.session.headers["Accept"] = "application/json"
        self.session.headers["User-Agent"] = f"airflow-provider-yandex-orders/{__version__}"

    def call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        body: FileBody | Content | None = None,
        resend: bool = True,
        decode: Callable[[bytes], Any] = msgspec.json.decode,
    ) -> Any:
        """Send one request and return its decoded JSON answer.

        :param method: HTTP method.
        :param path: path after the base address; no query in it.
        :param doing: what this request is for, as it stands in an error: "upload orders.csv to counter 1".
        :param params: query; ``None`` values are left out.
        :param json: body to encode as JSON.
        :param body: body that is ready: a file, or bytes with others for a repeat where it wants them.
        :param resend: whether the request may go out again when it is unknown if it took effect.
        :param decode: reads the body of a good answer; raises ``msgspec.DecodeError`` where it cannot.
        :raises ServiceRefused: the service will say no again.
        :raises QuotaExceeded: a quota is used up for longer than :data:`LONGEST_PAUSE`.
        :raises ServiceUnavailable: no usable answer after all attempts.
        """

        def passing(error: BaseException) -> bool:
            return (
                isinstance(error, ServiceUnavailable)
                and (error.retry_after or 0) <= LONGEST_PAUSE
                and (resend or not error.maybe_applied)
            )

        applied = False  # an earlier attempt may have been: no later answer takes that back

        def attempt() -> Any:
            nonlocal body, applied
            try:
                return self._send(method, path, doing=doing, params=params, body=body, decode=decode)
            except (ServiceRefused, ServiceUnavailable) as error:
                if isinstance(error, ServiceRefused):
                    error.repeated = applied
                error.maybe_applied = applied = applied or error.maybe_applied
                if isinstance(body, Content) and applied:
                    body = body.repeated()
                raise
            except ConfigurationError as error:
                if applied:
                    raise ServiceRefused(str(error), maybe_applied=True) from None
                raise

        if not resend:  # a connection that was kept may be closed at this moment: nobody could tell what arrived
            self.session.close()
        if json is not None:
            body = Content(msgspec.json.encode(json), "application/json")
        return Retrying(
            retry=retry_if_exception(passing),
            stop=stop_after_attempt(self.attempts),
            wait=_pause,
            before_sleep=_log_pause,
            retry_error_callback=_give_up,
        )(attempt)

    def _send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        params: Mapping[str, Any] | None,
        body: FileBody | Content | None,
        decode: Callable[[bytes], Any],
    ) -> Any:
        self.sent += 1
        try:
            response = self.session.request(
                method,
                f"{self.base_url}{path}",
                params=params,
                data=body.data if isinstance(body, Content) else body,
                headers={} if body is None else {"Content-Type": body.content_type},
                timeout=self.timeout,
                allow_redirects=False,  # a redirect could carry the token elsewhere
                stream=True,  # nobody says how long an answer is
            )
            with response:
                content = self._content(response)
        except (requests.RequestException, TooSlow) as error:
            raise self._no_answer(error, method, path, doing) from None
        failure = self._failure(response, content)
        if failure is not None:
            raise self._failed(
                failure, Answer(method, path, response.status_code, failure.error_type, failure.said), doing
            )
        try:
            return decode(self._whole_signs(content, doing))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            what = (
                f"{len(content)} bytes of {response.headers.get('Content-Type', 'no content type')} that are "
                f"not JSON. If this stays, the connection's host {self._host} is not the service itself but a proxy or "
                "a login page: correct it."
            )
            if isinstance(error, msgspec.ValidationError):
                what = (
                    f"JSON of another shape than its documentation has: {scrub(str(error))}. The next try may pass; "
                    "if this stays, look for a newer version of this package."
                )
            raise ServiceUnavailable(
                f"{doing}: {self.service} answered {response.status_code} to {method} {path} with {what}",
                answer=Answer(method, path, response.status_code),
                maybe_applied=method != "GET",
            ) from None

    def _content(self, response: requests.Response) -> bytes:
        blocks, size = [], 0
        for block in _as_they_come(response):
            blocks.append(block)
            size += len(block)
            if size > MOST_BYTES:
                raise _TooLong
        return b"".join(blocks)

    def _whole_signs(self, content: bytes, doing: str) -> bytes:
        """JSON without halves of signs, which it may not have: a text that was cut in UTF-16 would spoil all of it."""
        if b"\\ud" not in content and b"\\uD" not in content:
            return content
        halves = sum(bool(half) for half in _ESCAPE.findall(content))
        if halves:
            log.warning(
                "%s: %d halves of signs in the answer, such as of an emoji cut off, became \N{REPLACEMENT CHARACTER}.",
                doing,
                halves,
            )
            content = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], content)
        return content

    def _failure(self, response: requests.Response, content: bytes) -> Failure | None:
        """What an answer says went wrong, as it may be quoted; a good one, which may be large, is not copied."""
        with suppress(UnicodeDecodeError):
            if self._read_failure(response.status_code, response.headers, content) is None:
                return None
        return self._read_failure(response.status_code, response.headers, self._without_token(content))

    def _without_token(self, body: bytes) -> bytes:
        """An answer as it may be quoted: a proxy's page of what went wrong can repeat the request's headers.

        It may also be in another encoding than its JSON should be.
        """
        body = body.decode(errors="replace").encode()
        for name in _TOKEN_HEADERS:
            token = str(self.session.headers.get(name, "")).rpartition(" ")[2]
            body = body.replace(token.encode(), b"***") if token else body
        return body

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    def _failed(self, failure: Failure, answer: Answer, doing: str) -> ServiceRefused | ServiceUnavailable:
        named = f" ({failure.error_type})" if failure.error_type else ""
        message = (
            f"{doing}: {self.service} answered {answer.http_status}{named} to {answer.method} {answer.path}: "
            f"{failure.said} {failure.advice}"
        )
        if failure.kind is FailureKind.REFUSED:
            return ServiceRefused(message, answer=answer, maybe_applied=failure.maybe_applied)
        kind = QuotaExceeded if failure.kind is FailureKind.QUOTA else ServiceUnavailable
        return kind(
            message,
            retry_after=failure.retry_after,
            answer=answer,
            maybe_applied=failure.kind is FailureKind.BROKEN and answer.method != "GET",
        )

    def _no_answer(
        self, error: requests.RequestException | TooSlow, method: str, path: str, doing: str
    ) -> ConfigurationError | ServiceUnavailable:
        # The text of a requests error may hold the whole address with its query: only the class is named.
        if isinstance(error, _BAD_ADDRESS):
            return ConfigurationError(
                f"{doing}: the connection's host does not make a valid address. Give it as https://host[:port]."
            )
        where = f"{self.service} at {self._host}"
        if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            why = re.search(r"verify failed: ([^('.]+)", str(error))
            said = f" ({why[1].strip()})" if why else ""
            return ConfigurationError(
                f"{doing}: the TLS certificate of {where} cannot be verified{said}. If a "
                "proxy of your company signs traffic, give its certificate in REQUESTS_CA_BUNDLE; the check itself is "
                "never switched off."
            )
        if isinstance(error, requests.exceptions.SSLError) and any(word in str(error).lower() for word in _NO_TLS):
            return ConfigurationError(
                f"{doing}: the host {self._host} speaks plain HTTP: if it is a sandbox of your own, write the "
                f"connection's host as http://{self._host}{urlsplit(self.base_url).path}; else name the port "
                "that speaks HTTPS."
            )
        never_connected = isinstance(error, requests.exceptions.ConnectTimeout) or "NewConnectionError" in repr(error)
        if "NameResolutionError" in repr(error):
            what, never_connected = "has a name that cannot be resolved", True
        elif never_connected:
            what = "cannot be reached"
        elif isinstance(error, _TooLong):
            what = f"answered with more than {MOST_BYTES:,} bytes"
        elif isinstance(error, TooSlow):
            what = f"was still sending after {most_seconds(self.timeout[1]):g} seconds"
        elif isinstance(error, requests.exceptions.Timeout):
            what = f"did not answer within {self.timeout[1]:g} seconds"
        else:
            what = f"cut the connection ({type(error).__name__})"
        return ServiceUnavailable(
            f"{doing}: {where} {what} on {method} {path}. Check the connection's host, the network and its proxy; "
            "if they are right, the next try may pass.",
            answer=Answer(method, path),
            maybe_applied=method != "GET" and not never_connected,
        )


def _as_they_come(response: requests.Response) -> Iterator[bytes]:
    """Blocks of a body, none waited for until it is full: of an answer that comes slowly that would take hours."""
    read = getattr(response.raw, "read1", None)
    if read is None or response.raw.closed:  # an older urllib3; a hook of the session has read it
        yield from response.iter_content(1024)
        return
    try:
        while block := read(16 * 1024, decode_content=True):
            yield block
    except urllib3_errors.ReadTimeoutError:
        raise requests.exceptions.ReadTimeout from None
    except urllib3_errors.DecodeError:
        raise requests.exceptions.ContentDecodingError from None
    except urllib3_errors.SSLError as error:
        raise requests.exceptions.SSLError(error) from None
    except urllib3_errors.HTTPError:
        raise requests.exceptions.ChunkedEncodingError from None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Authorisation that changes nothing: without one, requests puts a login of ``~/.netrc`` in place of the token."""
    return request


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, ServiceUnavailable) else None
    return _backoff(state) if told is None else told


def _log_pause(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0
    log.warning("%s Trying again in %.1f s (attempt %d).", error, seconds, state.attempt_number + 1)


def _give_up(state: RetryCallState) -> Any:
    """Raise the last error. Some services answer a request they cannot take as if they were out of order."""
    error = state.outcome.exception() if state.outcome else None
    answer = error.answer if isinstance(error, ServiceUnavailable) else None
    if error and answer and (answer.http_status or 0) >= 500 and state.attempt_number > 1:
        error.args = (
            f"{error} {state.attempt_number} tries got no better answer: if other requests pass, it may be this "
            "request itself that the service cannot take. Compare what it asks for or brings with one that passed.",
        )
    return state.outcome.result() if state.outcome else None
