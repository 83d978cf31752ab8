# SPDX-License-Identifier: Apache-2.0
"""One task at a time at a destination, or so many at a service: a lease that ends by itself when its holder dies."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from secrets import token_hex
from threading import Event, Thread

from sqlalchemy import delete, func, select, update
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
    """A context that holds one of the places there are.

    :param places: ids of destinations: any one of them will do.
    :param doing: what it is held for, for messages.
    :param busy: why one has to wait for others, likewise.
    :param patience: for how many seconds to wait for a place before the task is handed back to Airflow; a minute.
    """

    def __init__(
        self, database: Database, places: Sequence[int], doing: str, busy: str, *, patience: float | None = None
    ) -> None:
        self._database, self._places, self._doing, self._busy = database, places, doing, busy
        self._patience = PATIENCE if patience is None else patience
        self._holder = token_hex(8)  # of this try: an earlier try of the same task may still be at work
        self._here = leases.c.destination_id.in_(places)
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
            log.warning("%s: the turn could not be given back; it ends by itself in %.0f s.", self._doing, LIMIT)

    def renew(self, connection: Connection) -> None:
        """Hold on to it in a transaction that must not go through without it.

        :raises PassingError: another task has it now.
        """
        ends = self._database.clock + LIMIT
        if connection.execute(update(leases).where(self._mine).values(ends=ends)).rowcount == 0:
            raise self._lost()

    def check(self) -> None:
        """Make sure that it is still held, as far as this process knows.

        :raises PassingError: another task has it now.
        """
        if not self._renewing.is_alive():
            raise self._lost()

    def _lost(self) -> PassingError:
        return PassingError(
            f"{self._doing}: this task stood still for more than {LIMIT:.0f} s and another one took its turn. What was "
            "done is kept; the next try does the rest.",
            retry_after=LIMIT,
        )

    def _wait(self) -> None:
        last = time.monotonic() + self._patience
        told = False
        while True:
            with self._database.writing() as connection:
                left = self._take(connection)
            if not left:
                return
            if time.monotonic() >= last:
                raise PassingError(
                    f"{self._doing}: {self._busy}. Airflow tries this task again later; the other task's turn ends in "
                    f"{left:.0f} s unless it goes on.",
                    retry_after=left,
                )
            if not told:
                log.info("%s: %s. Waiting up to %.0f s.", self._doing, self._busy, self._patience)
                told = True
            time.sleep(_ASK_EVERY)

    def _take(self, connection: Connection) -> float:
        """Take one that is free: 0, or for how many seconds others hold them all."""
        clock = self._database.clock
        for place in self._places:
            free = {"destination_id": place, "holder": "", "ends": 0.0}
            connection.execute(self._database.insert(leases).values(free).on_conflict_do_nothing())
            is_free = (leases.c.destination_id == place) & (leases.c.ends < clock)
            taken = update(leases).where(is_free).values(holder=self._holder, ends=clock + LIMIT)
            if connection.execute(taken).rowcount:
                return 0.0
        left = connection.execute(select(func.min(leases.c.ends) - clock).where(self._here)).scalar()
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
