# SPDX-License-Identifier: Apache-2.0
"""What the hooks of all services share: the connection, its form, the client, the test button."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.get_provider_info import connection_type
from airflow_provider_yandex_orders.templated import whole_id

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_yandex_orders.http.client import ServiceClient

PROBE_TIMEOUT = (10.0, 20.0)
"""Seconds a request that is not repeated (a poll, the "Test" button) waits for a connection and for an answer."""

TOKEN_DAYS, WARN_DAYS = 365, 30
"""Days an OAuth token lives, about, and days before its end from which tasks warn."""

SHOWN = 5
"""Most unknown fields of an extra a message names."""

_FIELD = r"[A-Za-z_]{1,40}"
_LOCAL = r"http://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|/|$)"


class ServiceHook(BaseHook):
    """A hook whose constructor only stores; the connection is read and the client made on first use.

    :param conn_id: id of the Airflow connection.
    :param connection: the connection itself, where it was already read (a trigger reads it asynchronously).
    """

    conn_type: ClassVar[str]
    service: ClassVar[str]
    default_host: ClassVar[str | None] = None
    api_path: ClassVar[str]
    """Pattern of the paths of the API, which a host copied from its documentation ends with."""
    id_field: ClassVar[str] = ""
    """Name, as an argument and in the extra, of the id that a connection may give to its tasks."""
    auth_types: ClassVar[tuple[str, ...]] = ()
    """Ways to send the token, where the extra chooses one; the first where it does not."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in ("get_ui_field_behaviour", "get_connection_form_widgets"):  # Airflow 2.11 reads no inherited ones
            setattr(cls, name, next(vars(base)[name] for base in cls.__mro__ if name in vars(base)))

    def __init__(self, conn_id: str, *, connection: Connection | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self._connection = connection

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Form of the connection for Airflow before 3.2, from the same declaration as the newer one."""
        behaviour = connection_type(cls.conn_type)["ui-field-behaviour"]
        return {key.replace("-", "_"): value for key, value in behaviour.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Extra fields of the form for Airflow before 3.2, from the same declaration as the newer one."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from wtforms import StringField
        from wtforms.validators import Optional, any_of

        def field(told: dict[str, Any]) -> Any:
            schema, described = told["schema"], told["description"]
            words = schema.get("values_display", {})
            if words:  # such a form has no list of words to choose from
                described += f" Write {' or '.join(f'{word}: {meaning}' for word, meaning in words.items())}."
            return StringField(
                told["label"],
                widget=BS3TextFieldWidget(),
                description=described,
                default=schema.get("default"),
                validators=[Optional(), *([any_of(list(words))] if words else [])],
            )

        return {name: field(told) for name, told in connection_type(cls.conn_type)["conn-fields"].items()}

    @cached_property
    def connection(self) -> Connection:
        """The Airflow connection.

        :raises ConfigurationError: there is none of this id.
        """
        if self._connection is not None:
            return self._connection
        try:
            return self.get_connection(self.conn_id)
        except AirflowNotFoundException:
            raise ConfigurationError(
                f"There is no connection {self.conn_id!r}. Create one of type {self.conn_type!r}, "
                "or name another one in the task."
            ) from None

    @cached_property
    def client(self) -> ServiceClient:
        """The client all calls go through."""
        ageing = self._token_age()
        if ageing:
            self.log.warning("%s", ageing)
        return self._new_client(service=self.service, base_url=self.base_url, headers=self._headers(self._token()))

    @abstractmethod
    def _new_client(self, **arguments: Any) -> ServiceClient:
        """The client, with what reads the service's answers and keeps to its limits."""

    def get_conn(self) -> ServiceClient:
        """The client all calls go through."""
        return self.client

    @property
    def base_url(self) -> str:
        """Scheme, host and port the requests go to, with a path where a proxy has one; that of the API is cut off.

        :raises ConfigurationError: the connection names no host and the service has no default one.
        """
        connection = self.connection
        host = (connection.host or self.default_host or "").strip().rstrip("/")
        if not host:
            raise ConfigurationError(
                f"The connection {self.conn_id!r} names no host: {self.service} needs one. Put its address, as "
                "https://your-platform.example.com, into the host field."
            )
        url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
        url = re.sub(rf"(?<=[^/:]){self.api_path}(?:[/?#].*)?$", "", url)
        place = re.fullmatch(r"([^/]+//[^/]+?)(:\d+)?(/.*)?", url)
        usual = 80 if url.startswith("http://") else 443
        if connection.port and connection.port != usual and place and not place[2]:
            url = f"{place[1]}:{connection.port}{place[3] or ''}"
        if url.startswith("http://") and not re.match(_LOCAL, url):
            self.log.warning("The token travels unencrypted: the host of %r begins with http://.", self.conn_id)
        return url

    @property
    def host(self) -> str:
        """Host and port the requests go to."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    def once(self) -> Self:
        """The hook, trying each request once and for half a minute at most: a poll is itself the retry."""
        self.client.attempts, self.client.timeout = 1, PROBE_TIMEOUT
        return self

    def extra(self, name: str) -> Any:
        """A field of the connection's extra; ``None`` when it is missing or empty."""
        value = self._extras.get(name)
        return None if value == "" else value

    @property
    def _own_id(self) -> Any:
        """The id in the connection: in the field of the login, or in the extra; ``None`` where it names none."""
        login, extra = (self.connection.login or "").strip() or None, self.extra(self.id_field)
        if login and extra is not None and login != str(extra).strip():
            raise ConfigurationError(
                f"The connection {self.conn_id!r} names two: one in its form's id field (the login) and another one as "
                f"{self.id_field} in the extra. Leave one of them."
            )
        return login or extra

    def _chosen_id(self, given: object, meaning: str, where: str) -> int:
        """An id: the one given, else that of the connection.

        :param given: a number, or text of the digits 0 to 9; space around it is nothing.
        :param meaning: what it is the id of, for the message.
        :param where: where people find it, for the message.
        """
        name = self.id_field
        chosen = self._own_id if given in (None, "") else given
        if chosen is None:
            raise ConfigurationError(
                f"No {meaning}: give {name} to the task, or put it into the connection {self.conn_id!r}."
            )
        found = whole_id(chosen)
        if found is None:
            raise ConfigurationError(f"{name} must be a whole number above 0, {where}.")
        return found

    @property
    def auth_type(self) -> str:
        """How the token is sent."""
        told = str(self.extra("auth_type") or self.auth_types[0])
        if told not in self.auth_types:
            ways = " or ".join(self.auth_types)
            raise ConfigurationError(f"auth_type in the extra of {self.conn_id!r} must be {ways}.")
        return told

    @cached_property
    def _extras(self) -> Mapping[str, Any]:
        """The connection's extra."""
        text = (self.connection.extra or "").strip()
        fix = 'write it as {"field": "value"}, or leave it empty.'
        try:
            given = json.loads(text or "null")
        except ValueError:
            raise ConfigurationError(f"The extra of the connection {self.conn_id!r} is not JSON: {fix}") from None
        if given is None:
            return {}
        if not isinstance(given, dict):
            raise ConfigurationError(f"The extra of the connection {self.conn_id!r} is not a JSON object: {fix}")
        extras: Mapping[str, Any] = self.connection.extra_dejson  # Airflow masks secrets in it
        return extras

    def test_connection(self) -> tuple[bool, str]:
        """Answer of the "Test" button: whether the connection works, and what is wrong if not."""
        try:
            hook, unread = self.once(), self._unread_extras()
            works, message = hook._probe()
            told = " ".join(filter(None, [f"{message}{unread}", self._token_age()]))
        except (PermanentError, PassingError) as error:
            works, told = False, str(error)
        # The form is tested under an id drawn at random, which would only puzzle.
        return works, re.sub(rf" (?:of )?{re.escape(repr(self.conn_id))}", "", told)

    def _token_age(self) -> str:
        """Words on a token that nears its end, where the connection tells its day. A note never fails a task."""
        issued = self.extra("token_issued")
        if issued is None:
            return ""
        try:
            age = (date.today() - date.fromisoformat(str(issued).strip())).days  # noqa: DTZ011 - a day more or less
        except ValueError:
            return f"token_issued of the connection {self.conn_id!r} is no date: write it as 2026-01-31."
        if age < TOKEN_DAYS - WARN_DAYS:
            return ""
        return (
            f"The token of the connection {self.conn_id!r} is {age} days old, and one lives about a year: get a new "
            "one, and put its day into token_issued."
        )

    def _unread_extras(self) -> str:
        """Words on fields of the extra that nothing reads."""
        from difflib import get_close_matches

        known = [*connection_type(self.conn_type)["conn-fields"], *filter(None, [self.id_field])]
        unknown = [name for name in self._extras if name not in known]
        for name in unknown:
            for meant in get_close_matches(name.lower(), known, n=1):
                raise ConfigurationError(
                    f"The extra of the connection {self.conn_id!r} has {_shown(name)}, which is not read: did you mean "
                    f"{meant!r}?"
                )
        shown = ", ".join(map(_shown, unknown[:SHOWN]))
        return f" The extra has fields that are not read: {shown}." if unknown else ""

    @abstractmethod
    def _headers(self, token: str) -> Mapping[str, str]:
        """Headers that carry the token."""

    @abstractmethod
    def _probe(self) -> tuple[bool, str]:
        """Ask the service something harmless that proves token and rights."""

    def _token(self) -> str:
        token = (self.connection.password or "").strip()
        if not token:
            raise ConfigurationError(f"The connection {self.conn_id!r} has no token: put it into the password field.")
        if not token.isascii() or any(character.isspace() for character in token):
            raise ConfigurationError(
                f"The token of the connection {self.conn_id!r} has spaces, line ends or letters no token has: "
                "copy the token alone, without the word OAuth, into the password field."
            )
        return token


def place_of(base_url: str) -> str:
    """A service's address as the journal has it: host, port and path, without the scheme and a login."""
    parts = urlsplit(base_url)
    return f"{parts.netloc.rpartition('@')[2].lower()}{parts.path}".rstrip("/")


def _shown(name: str) -> str:
    """The name of a field as a message may have it: what is no plain identifier may be a value, or a token."""
    from airflow_provider_yandex_orders.privacy import VALUE

    return repr(name) if re.fullmatch(_FIELD, name) else VALUE
