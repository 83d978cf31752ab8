# SPDX-License-Identifier: Apache-2.0
"""Yandex Metrica: how its good answers are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from airflow_provider_yandex_orders.exceptions import ServiceUnavailable
from airflow_provider_yandex_orders.templated import share, switch
from airflow_provider_yandex_orders.waiting import Demands, UploadState

AnswerPart = TypeVar("AnswerPart", dict[str, Any], list[dict[str, Any]])


def part_of(answer: Any, name: str, kind: type[AnswerPart], doing: str, *, sent: bool = False) -> AnswerPart:
    """The part of an answer that is wanted.

    :raises ServiceUnavailable: the answer has another shape.
    """
    part = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(part, kind) or not all(isinstance(each, dict) for each in part if isinstance(part, list)):
        raise ServiceUnavailable(
            f"{doing}: Yandex Metrica answered without {name!r}. The next try may pass; if this stays, the "
            "connection's host is not the service.",
            maybe_applied=sent,
        )
    return part


def uploading_of(answer: Any, doing: str) -> dict[str, Any]:
    """The ``uploading`` object that answers an upload.

    :raises ServiceUnavailable: there is none, or it has no id by which the upload could be asked for.
    """
    uploading = part_of(answer, "uploading", dict, doing, sent=True)
    if not uploading.get("uploading_id") and not uploading.get("id"):
        raise ServiceUnavailable(
            f"{doing}: Yandex Metrica answered without the id of the upload. The next try may pass.", maybe_applied=True
        )
    return uploading


def crm_upload_state(uploading: Mapping[str, Any]) -> UploadState:
    """Read one ``uploading`` object of a CRM upload. Words other than PASSED and FAILED count as not final."""
    from airflow_provider_yandex_orders.privacy import scrub

    status = str(uploading.get("api_validation_status") or "UNKNOWN")
    errors = uploading.get("api_validation_errors") or []
    return UploadState(
        upload_id=str(uploading.get("uploading_id") or ""),
        status=status,
        final=status in ("PASSED", "FAILED"),
        good=status == "PASSED",
        rows_accepted=uploading.get("elements_count"),
        detail=scrub("; ".join(str(error) for error in errors[:5])),
    )


def passed(parts: Iterable[Mapping[str, Any]]) -> dict[str, UploadState]:
    """States of the parts of a delivery that the service's own answer to the upload called good for good."""
    told = (
        {
            "uploading_id": part.get("upload_id"),
            "api_validation_status": part.get("status"),
            "elements_count": part.get("rows_accepted"),
        }
        for part in parts
    )
    return {state.upload_id: state for state in map(crm_upload_state, told) if state.upload_id and state.good}


def offline_upload_state(uploading: Mapping[str, Any]) -> UploadState:
    """Read one ``uploading`` object of offline conversions; the counts of newer answers may be missing."""
    status = str(uploading.get("status") or "UNKNOWN")
    not_found = [
        f"{uploading[f'{what}_not_found_quantity']} rows: {what} not found"
        for what in ("goal", "user")
        if uploading.get(f"{what}_not_found_quantity")
    ]
    return UploadState(
        upload_id=str(uploading.get("id") or ""),
        status=status,
        final=status in ("PROCESSED", "LINKAGE_FAILURE"),
        good=status == "PROCESSED",
        rows_accepted=uploading.get("line_quantity"),
        rows_linked=uploading.get("linked_quantity"),
        rows_total=uploading.get("source_quantity"),
        detail=", ".join(not_found),
    )


def upload_state(family: str, uploading: Mapping[str, Any]) -> UploadState:
    """Read one ``uploading`` object.

    :param family: ``crm`` or ``offline``.
    """
    return crm_upload_state(uploading) if family == "crm" else offline_upload_state(uploading)


def offline_demands(min_accepted: float | str, min_linked: float | str, allow_linkage_failure: bool | str) -> Demands:
    """The demands on uploads of offline conversions.

    :raises ConfigurationError: a share is not between 0 and 1.
    """
    forgiven = ("LINKAGE_FAILURE",) if switch(allow_linkage_failure, "allow_linkage_failure") else ()
    return Demands(share(min_accepted, "min_accepted"), share(min_linked, "min_linked"), forgiven)
