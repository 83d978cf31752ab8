# SPDX-License-Identifier: Apache-2.0
"""What a storage raises, as an error that says what to do: whatever the storage, whichever library speaks to it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.privacy import scrub

STAGING_CURE: Final = (
    "Correct staging_path of the task, or staging_path in section [yandex_orders] of Airflow's configuration."
)
_PERMANENT: Final = (
    FileExistsError,
    FileNotFoundError,
    ImportError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    PermissionError,
    ValueError,  # a scheme or an address nobody knows
    AirflowException,  # no such connection, or one that cannot work
)
_PERMANENT_ERRNO: Final = {errno.EROFS, errno.EPERM, errno.EINVAL, errno.ENAMETOOLONG}
DISK_ERRNO: Final = {errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC}
"""Of a disk that cannot be written now: what a row's source raises is none of them."""
_PERMANENT_STATUS: Final = {400, 401, 403, 404, 405}
_DAMAGED: Final = ("BadDigest", "IncompleteBody", "RequestTimeout")
"""A line that breaks on the way; S3 says it with the status of a wrong request."""
_NO_CREDENTIALS: Final = {
    "ClientAuthenticationError",
    "DefaultCredentialsError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
}


@contextmanager
def named_faults(doing: str, path: object, cure: str = STAGING_CURE, *, missing: bool = False) -> Iterator[None]:
    """Turn what a storage raises into an error that says what to do.

    :param doing: what was being done, as a message begins.
    :param cure: what to correct where trying again cannot help.
    :param missing: let ``FileNotFoundError`` through.
    """
    try:
        yield
    except (PermanentError, PassingError):
        raise
    except Exception as error:
        if missing and isinstance(error, FileNotFoundError):
            raise
        raise storage_fault(doing, path, error, cure) from None


def storage_fault(
    doing: str, path: object, error: Exception, cure: str, right: str = ""
) -> ConfigurationError | PassingError:
    """The error to raise in place of what a storage raised.

    :param right: the right that was asked for, and its name at the storage.
    """
    conn_id = getattr(path, "conn_id", None)
    connection = f" (connection {conn_id!r})" if conn_id else ""
    words = re.sub(r"\?\S+", "?...", scrub(str(error).strip())).partition("\n")[0][:200].rstrip(". ")
    said = f"{doing} {path}{connection}: {type(error).__name__}{': ' if words else ''}{words}."
    if not _is_permanent(error):
        return PassingError(f"{said} The storage cannot be used now; the next try may pass.")
    if right:
        keys = f"the keys of {conn_id!r}" if conn_id else "the storage's keys"
        right = f" Give {keys} the right to {right}, or choose another folder."
    return ConfigurationError(f"{said}{right} {cure}")


def _is_permanent(error: Exception) -> bool:
    if any(word in str(error) + str(error.__cause__) for word in _DAMAGED):
        return False
    return (
        isinstance(error, _PERMANENT)
        or getattr(error, "errno", None) in _PERMANENT_ERRNO
        or {_status(error), _status(error.__cause__)} & _PERMANENT_STATUS != set()
        or any(kind.__name__ in _NO_CREDENTIALS for kind in type(error).__mro__)
    )


def _status(error: BaseException | None) -> int | None:
    """The HTTP status in an error of S3, Google Cloud Storage or Azure."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return cast("int | None", response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    status = str(getattr(error, "status_code", getattr(error, "code", "")))
    return int(status) if status.isdecimal() else None
