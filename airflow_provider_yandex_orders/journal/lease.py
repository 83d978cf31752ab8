# SPDX-License-Identifier: Apache-2.0
"""One task at a time at a destination: a lease that ends by itself when its holder dies."""

from __future__ import annotations

import logging
import time
from secrets import token_hex
from threading import Event, Thread

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from airflow_provider_yandex_orders.exceptions import JournalUnavailable, PassingError
from airflow_provider_yandex_orders.journal.database import Database
from airflow_provider_yandex_orders.journal.tables import leases

log = logging.getLogger(__name__)

LIMIT = 90.0
"""Seconds a lease holds without being renewed."""
PATIENCE = 60.0
"""Seconds another task waits for it before it is handed back to Airflow."""
_ASK_EVERY = 2.0


class Lease:
    """A context that holds a destination from the subtraction to the last acceptance.

    :param destination_id: what is held.
    :param named: the destination for messages.
    """

    def __init__(self, database: Database, destination_id: int, named: str) -> None:
        self._database, self._destination_id, self._named = database, destination_id, named
        self._holder = token_hex(8)  # of this try: an earlier try of the same task may still be at work
        self._here = leases.c.destination_id == destination_id
        self._mine = self._here & (leases.c.holder == self._holder)
        self._given_back = Event()
        self._renewing = Thread(target=self._renew_until_given_back, name="journal-lease", daemon=True)

    def __enter__(self) -> Lease:
        self._wait()
        self._renewing.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._given_back.set()
        self._renewing.join()
        try:
            with self._database.writing() as connection:
                connection.execute(delete(leases).where(self._mine))
        except JournalUnavailable:
            log.warning("The lease of %s could not be given back; it ends by itself in %.0f s.", self._named, LIMIT)

    def renew(self, connection: Connection) -> None:
        """Hold on to it in a transaction that must not go through without it.

        :raises PassingError: another task has it now.
        """
        ends = self._database.clock + LIMIT
        if connection.execute(update(leases).where(self._mine).values(ends=ends)).rowcount == 0:
            raise PassingError(
                f"Upload {self._named}: this task stood still for more than {LIMIT:.0f} s and another one took its "
                "turn. What was accepted is in the journal; the next try sends the rest.",
                retry_after=LIMIT,
            )

    def _wait(self) -> None:
        last = time.monotonic() + PATIENCE
        told = False
        while True:
            with self._database.writing() as connection:
                left = self._take(connection)
            if not left:
                return
            if time.monotonic() >= last:
                raise PassingError(
                    f"Upload {self._named}: another task sends there now, and two at once could send a row twice. "
                    f"Airflow tries this task again later; the other task's turn ends in {left:.0f} s unless it goes "
                    "on.",
                    retry_after=left,
                )
            if not told:
                log.info("Another task sends %s: waiting up to %.0f s for its turn to end.", self._named, PATIENCE)
                told = True
            time.sleep(_ASK_EVERY)

    def _take(self, connection: Connection) -> float:
        """Take it where it is free: 0, or for how many seconds another task holds it."""
        clock = self._database.clock
        free = {"destination_id": self._destination_id, "holder": "", "ends": 0.0}
        connection.execute(self._database.insert(leases).values(free).on_conflict_do_nothing())
        taken = update(leases).where(self._here, leases.c.ends < clock).values(holder=self._holder, ends=clock + LIMIT)
        if connection.execute(taken).rowcount:
            return 0.0
        left = connection.execute(select(leases.c.ends - clock).where(self._here)).scalar()
        return max(float(left or 0), _ASK_EVERY)

    def _renew_until_given_back(self) -> None:
        """One part may take longer to send than a lease holds."""
        while not self._given_back.wait(LIMIT / 5):
            try:
                with self._database.writing() as connection:
                    self.renew(connection)
            except JournalUnavailable:
                continue  # the next part's turn tells whether it is still held
            except PassingError:
                return
