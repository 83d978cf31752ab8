# SPDX-License-Identifier: Apache-2.0
"""Keyed sums in place of keys and contents: nothing personal is written down.

A key has 12 bytes: of 100 million keys two share a sum with a probability below 1e-13. A content has 8: it is only
compared with the content of the same key, and 40 billion such comparisons (100 million rows a day for 400 days) are
wrong once with a probability of 2e-9. A row without a key is known by 12 bytes of its content.
"""

from __future__ import annotations

from hashlib import blake2b

from airflow_provider_yandex_orders.journal.records import Destination, Entry

KEY_BYTES = 12
CONTENT_BYTES = 8


class Sums:
    """Sums of the rows of one destination: the same row has another sum at another destination.

    :param secret: the journal's own random key.
    :param destination: where the rows go.
    """

    def __init__(self, secret: bytes, destination: Destination) -> None:
        place = "\x1f".join((destination.service, destination.host, destination.counter, destination.entity)).encode()
        own = blake2b(place, key=secret, digest_size=32).digest()
        self._key = blake2b(key=own, digest_size=KEY_BYTES, person=b"key")
        self._content = blake2b(key=own, digest_size=CONTENT_BYTES, person=b"content")
        self._keyless = blake2b(key=own, digest_size=KEY_BYTES, person=b"keyless")

    def entry(self, key: str | None, content: bytes, version: str = "") -> Entry:
        """The entry of a row.

        :param key: what identifies it; ``None`` where nothing does.
        :param content: the row as it is sent.
        :param version: as of :class:`Entry`.
        """
        if key is None:
            return Entry(_sum(self._keyless, content), b"", "")
        # The usual ending says nothing and would cost a third of the row's size; the order stays the same.
        short = version.removesuffix("+00:00").removesuffix(".000000")
        return Entry(self.key(key), _sum(self._content, content), short)

    def key(self, key: str) -> bytes:
        """The sum of a key."""
        return _sum(self._key, key.encode())


def _sum(begun: blake2b, content: bytes) -> bytes:
    hashed = begun.copy()
    hashed.update(content)
    return hashed.digest()
