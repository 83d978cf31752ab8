# SPDX-License-Identifier: Apache-2.0
"""Ways to break the package on purpose. Each reaches for the one place that keeps a promise, and takes it away."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any
from unittest.mock import patch

PACKAGE = "airflow_provider_yandex_orders"


def _of(module: str, name: str) -> Any:
    return getattr(import_module(f"{PACKAGE}.{module}"), name)


@contextmanager
def _in_place(*replaced: tuple[Any, str, Any]) -> Iterator[None]:
    patches = [patch.object(*each) for each in replaced]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def _everywhere(function: Any, instead: Any) -> Any:
    """In every module that has a function by its name."""
    users: list[Any] = [module for name, module in sys.modules.items() if name.startswith(PACKAGE)]
    return _in_place(
        *((module, function.__name__, instead) for module in users if vars(module).get(function.__name__) is function)
    )


def sends_before_it_marks() -> Any:
    memory = _of("delivery.memory", "Memory")
    goes_out, accepted = memory.goes_out, memory.accepted

    def after(self: Any, part: Any, state: Any) -> None:
        goes_out(self, part)
        accepted(self, part, state)

    return _in_place((memory, "goes_out", lambda self, part: None), (memory, "accepted", after))


def marks_as_had_before_it_sends() -> Any:
    memory = _of("delivery.memory", "Memory")
    goes_out = memory.goes_out

    def before(self: Any, part: Any) -> None:
        goes_out(self, part)
        self._journal.accepted(part.id)

    return _in_place((memory, "goes_out", before))


def forgets_the_lease() -> Any:
    lease = _of("journal.lease", "Lease")
    return _in_place(
        (lease, "__enter__", lambda self: self),
        (lease, "__exit__", lambda self, *error: None),
        (lease, "renew", lambda self, connection: None),
    )


def counts_a_refused_part_as_had() -> Any:
    memory = _of("delivery.memory", "Memory")
    return _in_place((memory, "refused", lambda self, part, status=None: self._journal.accepted(part.id)))


def takes_no_answer_for_a_no() -> Any:
    memory = _of("delivery.memory", "Memory")
    return _in_place(
        (memory, "unanswered", lambda self, part: self._journal.refused(part.id)),
        (memory, "told", lambda self, part_id: self._journal.refused(part_id)),
    )


def repeats_a_request_whose_answer_was_lost() -> Any:
    client = _of("http.client", "ServiceClient")
    call = client.call
    return _in_place((client, "call", lambda self, *args, **named: call(self, *args, **{**named, "resend": True})))


def does_not_hear_a_bad_end() -> Any:
    return _in_place((_of("journal.store", "Journal"), "judge_uploads", lambda self, *args: 0))


def sends_older_versions() -> Any:
    verdict, memory = _of("journal.records", "Verdict"), _of("delivery.memory", "Memory")
    is_sent = memory._is_sent
    return _in_place(
        (memory, "_is_sent", lambda self, found, keyless: found is verdict.OUTDATED or is_sent(self, found, keyless))
    )


def does_not_wait_until_the_service_lists() -> Any:
    return _in_place((import_module(f"{PACKAGE}.delivery.memory"), "LISTED_WITHIN", timedelta(0)))


def repeats_with_triggers() -> Any:
    import_part = _of("altcraft.batch", "import_part")
    return _everywhere(import_part, lambda *args, **named: import_part(*args, **{**named, "repeat": False}))


def asks_again_after_a_quota() -> Any:
    decision = import_module("airflow.providers.common.compat.sdk")
    policy = _of("retry", "ServiceRetryPolicy")
    return _in_place((policy, "evaluate", lambda self, *args: decision.RetryDecision.default()))


def ends_before_all_is_sent() -> Any:
    send_parts = _of("delivery.send", "send_parts")
    return _everywhere(send_parts, lambda parts, *args, **named: send_parts(parts[: len(parts) - 1], *args, **named))


def forgets_rows_when_it_is_killed() -> Any:
    """What an earlier try planned and sent is dropped with what it did not send."""
    journal = _of("journal.store", "Journal")
    begin = journal.begin

    def forget(self: Any, *args: Any, **named: Any) -> Any:
        parts = import_module(f"{PACKAGE}.journal.tables").parts
        with self._database.writing() as connection:
            connection.execute(parts.update().where(parts.c.state == "sending").values(state="dropped"))
        return begin(self, *args, **named)

    return _in_place((journal, "begin", forget))


def forgets_the_tripwire() -> Any:
    return _in_place((_of("journal.tripwire", "Tripwire"), "check", lambda self, *args: None))


def trusts_a_journal_that_knows_nothing() -> Any:
    return _in_place((_of("delivery.memory", "Memory"), "first_use", lambda self, parts: None))


BREAKS: Mapping[Callable[[], Any], str] = {
    sends_before_it_marks: "simple orders without id",
    marks_as_had_before_it_sends: "changed simple orders",
    forgets_the_lease: "simple orders without id",
    counts_a_refused_part_as_had: "changed simple orders",
    takes_no_answer_for_a_no: "simple orders without id",
    repeats_a_request_whose_answer_was_lost: "simple orders without id",
    does_not_hear_a_bad_end: "changed simple orders",
    sends_older_versions: "simple orders",
    does_not_wait_until_the_service_lists: "conversions",
    repeats_with_triggers: "Altcraft",
    asks_again_after_a_quota: "simple orders",
    ends_before_all_is_sent: "contacts",
    forgets_rows_when_it_is_killed: "simple orders without id",
    forgets_the_tripwire: "Altcraft",
    trusts_a_journal_that_knows_nothing: "conversions",
}
"""Each with the kind of rows that shows it."""
