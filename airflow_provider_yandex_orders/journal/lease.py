# SPDX-License-Identifier: Apache-2.0
"""One task at a time at a destination: a lease that ends by itself when its holder dies."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from threading import Event, Thread

from sqlalchemy import delete, or_, select, update
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
    """What a task holds between the subtraction and the last acceptance.

    :param destination_id: what is held.
    :param named: the destination for messages.
    """

    def __init__(self, database: Database, destination_id: int, named: str) -> None:
        self._database = database
        self._destination_id = destination_id
        self._named = named
        self._holder = token_hex(8)  # of this try: an earlier try of the same task may still be at work

    def renew(self, connection: Connection) -> None:
        """Hold on to it in a transaction that must not go through without it.

        :raises PassingError: another task has it now.
        """
        ends = self._database.clock + LIMIT
        mine = (leases.c.destination_id == self._destination_id) & (leases.c.holder == self._holder)
        if connection.execute(update(leases).where(mine).values(ends=ends)).rowcount == 0:
            raise PassingError(
                f"Upload {self._named}: this task stood still for more than {LIMIT:.0f} s and another one took its "
                "turn. What was accepted is in the journal; the next try sends the rest.",
                retry_after=LIMIT,
            )

    def take(self, connection: Connection) -> float:
        """Take it where it is free: 0, or for how many seconds another task holds it."""
        clock, here = self._database.clock, leases.c.destination_id == self._destination_id
        first = {"destination_id": self._destination_id, "holder": "", "ends": 0.0}
        connection.execute(self._database.insert(leases).values(first).on_conflict_do_nothing())
        free = or_(leases.c.ends < clock, leases.c.holder == "")
        taken = update(leases).where(here, free).values(holder=self._holder, ends=clock + LIMIT)
        if connection.execute(taken).rowcount:
            return 0.0
        left = connection.execute(select(leases.c.ends - clock).where(here)).scalar()
        return max(float(left or 0), _ASK_EVERY)

    def give_back(self, connection: Connection) -> None:
        """Free it for the next."""
        mine = (leases.c.destination_id == self._destination_id) & (leases.c.holder == self._holder)
        connection.execute(delete(leases).where(mine))

    def renew_until(self, given_back: Event) -> None:
        """Renew it now and then: one part may take longer to send than a lease holds."""
        while not given_back.wait(LIMIT / 5):
            try:
                with self._database.writing() as connection:
                    self.renew(connection)
            except JournalUnavailable:
                continue  # the next part's turn tells whether it is still held
            except PassingError:
                return


@contextmanager
def held(database: Database, destination_id: int, named: str) -> Iterator[Lease]:
    """Hold the lease of a destination.

    :raises PassingError: another task holds it, also after a minute's wait.
    """
    lease = Lease(database, destination_id, named)
    _wait_for(lease, database, named)
    given_back = Event()
    renewing = Thread(target=lease.renew_until, args=(given_back,), name="journal-lease", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        given_back.set()
        renewing.join()
        try:
            with database.writing() as connection:
                lease.give_back(connection)
        except JournalUnavailable:
            log.warning("The lease of %s could not be given back; it ends by itself in %.0f s.", named, LIMIT)


def _wait_for(lease: Lease, database: Database, named: str) -> None:
    last = time.monotonic() + PATIENCE
    told = False
    while True:
        with database.writing() as connection:
            left = lease.take(connection)
        if not left:
            return
        if time.monotonic() >= last:
            raise PassingError(
                f"Upload {named}: another task sends there now, and two at once could send a row twice. Airflow tries "
                f"this task again later; the other task's turn ends in {left:.0f} s unless it goes on.",
                retry_after=left,
            )
        if not told:
            log.info("Another task sends %s: waiting up to %.0f s for its turn to end.", named, PATIENCE)
            told = True
        time.sleep(_ASK_EVERY)
