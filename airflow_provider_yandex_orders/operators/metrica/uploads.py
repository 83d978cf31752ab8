# SPDX-License-Identifier: Apache-2.0
"""Uploads to Metrica, one operator a kind of row."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from typing import Any

from airflow_provider_yandex_orders.delivery.known import KnownKeys
from airflow_provider_yandex_orders.delivery.parts import Part
from airflow_provider_yandex_orders.delivery.result import Delivery
from airflow_provider_yandex_orders.exceptions import ConfigurationError
from airflow_provider_yandex_orders.metrica.answers import crm_upload_state, offline_upload_state
from airflow_provider_yandex_orders.metrica.api import target_faults
from airflow_provider_yandex_orders.metrica.kinds import CONTACTS, OFFLINE_CONVERSIONS, ORDERS, SIMPLE_ORDERS
from airflow_provider_yandex_orders.operators.metrica.base import MetricaUploadOperator
from airflow_provider_yandex_orders.rows.convert import Rules
from airflow_provider_yandex_orders.rows.formats import FileFormat, csv_format, json_format
from airflow_provider_yandex_orders.rows.kind import RowKind
from airflow_provider_yandex_orders.sources.parts import PartsSource
from airflow_provider_yandex_orders.storage import staging_root
from airflow_provider_yandex_orders.waiting import Demands, UploadState, offline_demands

MERGE_MODES = ("SAVE", "UPDATE", "APPEND")
ATTRIBUTE = re.compile(r"[\w:-]{1,255}")
JSON_PART_BYTES = 2_000_000
"""The service names no limit for JSON bodies; integrations keep to this."""


class MetricaCrmUploadOperator(MetricaUploadOperator):
    """Uploads rows the service keeps by id, so that a repeat changes nothing.

    :param merge_mode: ``SAVE`` replaces what the service has, ``UPDATE`` changes only fields that are sent, ``APPEND``
        adds to lists. (templated)
    """

    template_fields: Sequence[str] = (*MetricaUploadOperator.template_fields, "merge_mode")
    family = "crm"

    def __init__(self, *, merge_mode: str = "SAVE", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.merge_mode = merge_mode

    def check_arguments(self) -> None:
        """Make sure that the arguments can work."""
        super().check_arguments()
        if self.merge_mode not in MERGE_MODES:
            raise ConfigurationError(f"merge_mode must be one of {', '.join(MERGE_MODES)}.")

    def destination(self) -> tuple[object, ...]:
        """What besides its content tells whether a part was sent before."""
        return (*super().destination(), self.merge_mode)

    def upload(self, part: Part, *, resend: bool) -> UploadState:
        """Send one part and read the answer."""
        return crm_upload_state(self.upload_part(part, resend=resend))

    @abstractmethod
    def upload_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object."""


class MetricaUploadSimpleOrdersOperator(MetricaCrmUploadOperator):
    """Uploads simplified orders: an order and its customer's identifiers in one row.

    Fields: ``id``, ``create_date_time``, one of ``client_ids``, ``emails``, ``phones``, ``emails_md5``,
    ``phones_md5``, and optionally ``client_uniq_id``, ``order_status``, ``revenue``, ``cost``, ``goals``, ``currency``.
    Of several rows with one ``id`` the one with the latest ``update_date_time`` is sent, without that field the last.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/schema/uploadSimpleOrders

    :param require_id: reject orders without ``id``. ``False`` sends them; they double when they are sent again.
    """

    kind = SIMPLE_ORDERS

    def __init__(self, *, require_id: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.require_id = require_id

    def rules(self) -> Rules:
        """How rows are checked."""
        return replace(super().rules(), require_key=self.require_id)

    def files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        """CSV, the one format of this upload."""
        return {"part": csv_format(kind)}

    def upload_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object."""
        return self.hook.upload_simple_orders(self.counter, part.path, merge_mode=self.merge_mode, resend=resend)


class MetricaFullUploadOperator(MetricaCrmUploadOperator):
    """Uploads of the full mode, where customers and orders go apart.

    :param upload_format: ``json`` or ``csv``.
    :param attributes: ``{"attribute": "source column"}``: custom attributes the counter has; CSV only, as the service's
        JSON form of them is not certain. (templated)
    """

    template_fields: Sequence[str] = (*MetricaCrmUploadOperator.template_fields, "attributes")

    def __init__(
        self, *, upload_format: str = "json", attributes: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.upload_format = upload_format
        self.attributes = attributes
        if upload_format == "json":
            self.default_part_bytes = JSON_PART_BYTES

    def check_arguments(self) -> None:
        """Make sure that the arguments can work."""
        super().check_arguments()
        if self.upload_format not in ("json", "csv"):
            raise ConfigurationError('upload_format must be "json" or "csv".')
        if self.attributes and self.upload_format != "csv":
            raise ConfigurationError('attributes need upload_format="csv": their JSON form is not certain.')
        for name in self.attributes or {}:
            if not ATTRIBUTE.fullmatch(name) or name in self.kind.field_names:
                raise ConfigurationError(
                    f"attributes: {name!r} cannot be one: letters, digits, _ - and : only, 255 at most, and no field."
                )

    def row_kind(self) -> RowKind:
        """The rows as this task sends them."""
        return self.kind.in_csv(tuple(self.attributes or ())) if self.upload_format == "csv" else self.kind

    def mapped_columns(self) -> Mapping[str, str]:
        """Attributes are mapped like fields."""
        return self.attributes or {}

    def files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        """JSON, or CSV with semicolons, which the service asks for where a cell holds several goals."""
        return {"part": csv_format(kind, ";") if self.upload_format == "csv" else json_format(kind)}

    @cached_property
    def customers(self) -> KnownKeys:
        """Customers this counter was ever sent by tasks with this staging path."""
        name = re.sub(r"\W+", "-", self.hook.base_url.partition("://")[2])
        return KnownKeys(staging_root(self.staging_path) / "known_customers" / f"{name}-{self.counter}.bin")


class MetricaUploadContactsOperator(MetricaFullUploadOperator):
    """Uploads customers, which orders of the full mode refer to. Upload them before their orders.

    .. seealso:: https://yandex.ru/dev/metrika/ru/data-import/contacts
    """

    kind = CONTACTS

    def upload_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object."""
        return self.hook.upload_contacts(
            self.counter,
            part.path,
            upload_format=self.upload_format,
            merge_mode=self.merge_mode,
            delimiter_type="SEMICOLON",
        )

    def delivered(self, delivery: Delivery) -> None:
        """Remember whom the service has, so that an order of somebody else is noticed."""
        with PartsSource(delivery).open() as stream:
            self.customers.add(str(row["uniq_id"]) for row in stream.rows)


class MetricaUploadOrdersOperator(MetricaFullUploadOperator):
    """Uploads orders of customers that were uploaded as contacts.

    .. seealso:: https://yandex.ru/dev/metrika/en/data-import/orders-data
    """

    kind = ORDERS

    def is_known(self) -> Callable[[str], bool] | None:
        """Whether the service has a customer; not asked where nothing is on record."""
        if not self.customers:
            self.log.info("No contacts were ever sent from this staging path: customers of orders are not checked.")
            return None
        return self.customers.__contains__

    def upload_part(self, part: Part, *, resend: bool) -> dict[str, Any]:
        """Send one part and return the service's ``uploading`` object."""
        return self.hook.upload_orders(
            self.counter, part.path, upload_format=self.upload_format, merge_mode=self.merge_mode
        )


class MetricaUploadOfflineConversionsOperator(MetricaUploadOperator):
    """Uploads goals that were reached away from the site.

    Fields: ``Target``, ``DateTime``, one of ``ClientId``, ``UserId``, ``Yclid``, ``PurchaseId``, and optionally
    ``Price`` and ``Currency``. Rows of the future are not sent: they lie in the delivery's ``deferred_path`` for a
    later run.

    .. seealso:: https://yandex.ru/dev/metrika/ru/management/openapi/offline_conversions/upload_1

    :param comment: your own text, kept with the upload: letters and digits only. A mark follows it, by which an upload
        without an answer is found again. (templated)
    :param file_per_identifier: send one file for each kind of identifier, each row by the first it has; by default one
        file has them all.
    :param check_targets: ask for the counter's goals first and reject rows whose ``Target`` is none of them.
    :param min_accepted: with ``wait_for_completion``: least share of accepted rows, from 0 to 1.
    :param min_linked: likewise, least share of accepted rows that found a visit, where the service says.
    :param allow_linkage_failure: likewise, put up with uploads none of whose visitors was found.
    """

    template_fields: Sequence[str] = (*MetricaUploadOperator.template_fields, "comment")
    kind = OFFLINE_CONVERSIONS
    family = "offline"
    must_not_repeat = True

    def __init__(
        self,
        *,
        comment: str | None = None,
        file_per_identifier: bool = False,
        check_targets: bool = True,
        min_accepted: float = 1,
        min_linked: float = 0,
        allow_linkage_failure: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.comment = comment
        self.file_per_identifier = file_per_identifier
        self.check_targets = check_targets
        self.min_accepted = min_accepted
        self.min_linked = min_linked
        self.allow_linkage_failure = allow_linkage_failure

    def check_arguments(self) -> None:
        """Make sure that the arguments can work."""
        super().check_arguments()
        self.demands()
        if self.comment and (not self.comment.isalnum() or len(self.comment) > COMMENT_LENGTH):
            raise ConfigurationError(
                f"comment may hold letters and digits only, {COMMENT_LENGTH} at most: the service documents no other "
                "signs."
            )

    def rules(self) -> Rules:
        """How rows are checked."""
        targets = cache(lambda: target_faults(self.hook.goals(self.counter)))
        return replace(super().rules(), targets=targets if self.check_targets else None)

    def files(self, kind: RowKind) -> Mapping[str, FileFormat]:
        """CSV: one file, or one for each identifier."""
        if self.file_per_identifier:
            return {name: csv_format(kind.with_identifier(name)) for name in kind.identifiers}
        return {"part": csv_format(kind)}

    def upload(self, part: Part, *, resend: bool) -> UploadState:
        """Send one part and read the answer."""
        comment = f"{self.comment or ''}{_mark(part)}"
        return offline_upload_state(self.hook.upload_offline_conversions(self.counter, part.path, comment=comment))

    def find(self, part: Part) -> UploadState | None:
        """Look the part up by the mark in its comment."""
        mark = _mark(part)
        for uploading in self.hook.offline_uploadings(self.counter):
            if str(uploading.get("comment") or "").endswith(mark):
                return offline_upload_state(uploading)
        return None

    def demands(self) -> Demands:
        """What the end of the uploads must be like."""
        return offline_demands(self.min_accepted, self.min_linked, self.allow_linkage_failure)


def _mark(part: Part) -> str:
    """Letters and digits that tell a part's content, as a comment may hold nothing else for certain."""
    return f"part{part.sha256[:16]}"


COMMENT_LENGTH = 255 - len("part") - 16
