# SPDX-License-Identifier: Apache-2.0
"""Another peer: the same rules as one statement of DuckDB, over a table made of the same dicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.orders import COUNTER_ZONE, SOURCE_ZONE, STATUSES, Order
from benchmarks.plain import CURRENCIES, EMAIL, MOST

_TRIMMED = ", ".join(
    f"nullif(trim({name}), '') AS {name}"
    for name in ("id", "client_uniq_id", "client_ids", "order_status", "revenue", "cost", "create_date_time")
)
_STATUS = " ".join(f"WHEN '{word}' THEN '{meant}'" for word, meant in STATUSES.items())
_CODES = ", ".join(f"'{code}'" for code in sorted(CURRENCIES))

CHECKED = f"""
CREATE TEMP TABLE checked AS
WITH cells AS (
    SELECT row, {_TRIMMED}, nullif(upper(trim(currency)), '') AS currency,
        nullif(lower(trim(emails)), '') AS email,
        nullif(regexp_replace(trim(phones), '[\\s().+-]', '', 'g'), '') AS digits
    FROM given
), typed AS (
    SELECT *, try_cast(create_date_time AS TIMESTAMP) AS moment,
        try_cast(revenue AS DECIMAL(18, 2)) AS revenue_amount, try_cast(cost AS DECIMAL(18, 2)) AS cost_amount,
        CASE order_status {_STATUS} END AS status,
        CASE WHEN regexp_full_match(email, $email) THEN email END AS good_email,
        CASE
            WHEN regexp_full_match(digits, '[0-9]{{10}}') THEN '7' || digits
            WHEN regexp_full_match(digits, '8[0-9]{{10}}') THEN '7' || digits[2:]
            WHEN regexp_full_match(digits, '[0-9]{{11,15}}') THEN digits
        END AS phone
    FROM cells
)
SELECT *, CASE
    WHEN id IS NULL THEN ['id', 'id is empty']
    WHEN create_date_time IS NULL THEN ['create_date_time', 'create_date_time is empty']
    WHEN moment IS NULL THEN ['create_date_time', 'create_date_time is not a date-time']
    WHEN NOT regexp_full_match(client_ids, '[0-9]{{8,20}}') THEN ['client_ids', 'client_ids is not a ClientID']
    WHEN order_status IS NOT NULL AND status IS NULL THEN ['order_status', 'order_status is not in the map']
    WHEN revenue IS NOT NULL AND revenue_amount IS NULL THEN ['revenue', 'revenue is not a number']
    WHEN revenue_amount < 0 OR revenue_amount > {MOST} THEN ['revenue', 'revenue is below zero or too much']
    WHEN cost IS NOT NULL AND cost_amount IS NULL THEN ['cost', 'cost is not a number']
    WHEN cost_amount < 0 OR cost_amount > {MOST} THEN ['cost', 'cost is below zero or too much']
    WHEN currency NOT IN ({_CODES}) THEN ['currency', 'currency is no currency']
    WHEN coalesce(client_ids, good_email, phone) IS NULL THEN CASE
        WHEN email IS NOT NULL THEN ['emails', 'emails is not an e-mail address']
        WHEN digits IS NOT NULL THEN ['phones', 'phones is not a phone number']
        ELSE ['client_ids', 'no customer identifier'] END
END AS fault
FROM typed
"""
ACCEPTED = f"""
COPY (
    SELECT id,
        strftime(moment AT TIME ZONE '{SOURCE_ZONE}' AT TIME ZONE '{COUNTER_ZONE}', '%Y-%m-%d %H:%M:%S')
            AS create_date_time,
        client_uniq_id, client_ids, NULL AS emails, NULL AS phones, md5(good_email) AS emails_md5,
        md5(phone) AS phones_md5, status AS order_status, revenue_amount AS revenue, cost_amount AS cost,
        NULL AS goals, currency
    FROM checked WHERE fault IS NULL ORDER BY row
) TO '{{path}}' (HEADER, DELIMITER ',')
"""
REJECTED = """
COPY (SELECT row, id AS key, fault[1] AS column, fault[2] AS reason FROM checked WHERE fault IS NOT NULL ORDER BY row)
TO '{path}' (FORMAT JSON)
"""


def to_csv(rows: Sequence[Order], folder: Path) -> dict[str, Any]:
    """Write the good rows as CSV and the others as rejects."""
    import duckdb
    import pyarrow

    given = pyarrow.Table.from_pylist(rows)
    given = given.append_column("row", pyarrow.array(range(1, len(rows) + 1)))
    written, rejected = folder / "orders.csv", folder / "rejected.jsonl"
    with duckdb.connect() as database:
        database.register("given", given)
        database.execute(CHECKED, {"email": EMAIL.pattern})
        database.execute(ACCEPTED.format(path=written))
        database.execute(REJECTED.format(path=rejected))
    return {"written": [str(written)], "rejected": str(rejected)}
