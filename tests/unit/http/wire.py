# SPDX-License-Identifier: Apache-2.0
"""Reads multipart bodies with a parser that knows nothing of the package."""

from __future__ import annotations

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

from tests.unit.http.scripted_server import Seen


def parsed(content_type: str, body: bytes) -> EmailMessage:
    """The one part of a multipart body."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    whole = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    (part,) = whole.iter_parts()
    assert isinstance(part, EmailMessage)
    return part


def file_part(seen: Seen) -> EmailMessage:
    """The one part of a request."""
    return parsed(seen.headers["Content-Type"], seen.body)


def file_of(seen: Seen) -> bytes:
    """The file a request uploads."""
    return cast("bytes", file_part(seen).get_payload(decode=True))
