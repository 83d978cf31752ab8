-- Orders that changed after they were over, each change with what the order is now: reports that were closed before
-- have other numbers. It needs the table that a load with changed_after_final=True writes.
CREATE OR REPLACE VIEW market.orders_changed_after_final AS
WITH paid AS (
    SELECT order_id, sum(CASE WHEN type = 'REFUND' THEN -total ELSE total END) AS paid
    FROM market.payments
    GROUP BY order_id
)
SELECT c.order_id, c.campaign_id, o.creation_date, c.moment, c.was, c.became, o.status, o.currency,
       coalesce(paid.paid, 0) AS paid
FROM market.changed_after_final c
JOIN market.orders o ON o.order_id = c.order_id
LEFT JOIN paid ON paid.order_id = c.order_id
WHERE o.fake IS NOT TRUE;
