# SPDX-License-Identifier: Apache-2.0
"""One memory for all deliveries: what was planned, sent and judged, in a database.

An upload goes through it in this order::

    with open_journal(journal_conn_id) as journal:
        tripwire.check(journal)                               # the task's own record agrees with the journal
        delivery = journal.begin(destination, task)          # a retry goes on with its delivery
        if delivery.result is not None: ...                   # everything was sent: straight to the wait
        with journal.lease(destination) as lease:
            for part in journal.open_parts(destination): ...  # ask the service: accepted, refused or abandoned
            verdicts = journal.subtract(entries, delivery.id) # rows in order of their key sum
            part_id = journal.plan(delivery.id, part, entries_of_the_part)
            journal.sending(part_id, lease); tripwire.goes_out(journal, delivery.id)
            journal.accepted(part_id, upload_id=...) or tripwire.keep(part_id, ...)
            journal.sent(delivery.id, result, rejects)        # the next try goes straight to the wait
        journal.judge_upload(service, host, entities, upload_id, judgement)
        journal.complete(destination, task)                   # a task cleared from now on begins anew

``records`` and ``sums`` cost a DAG parser nothing; ``store`` brings SQLAlchemy and is imported inside ``execute``.
"""
