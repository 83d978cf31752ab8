-- Orders that were delivered and whose price has not been transferred in full: how much is missing, longest first.
CREATE OR REPLACE VIEW market.unpaid_orders AS
WITH price AS (
    SELECT order_id, sum(total) AS price
    FROM market.prices
    WHERE type = 'BUYER'
    GROUP BY order_id
), paid AS (
    SELECT order_id, sum(CASE WHEN type = 'REFUND' THEN -total ELSE total END) AS paid
    FROM market.payments
    GROUP BY order_id
)
SELECT o.order_id, o.campaign_id, o.creation_date, o.status, o.status_update_date, o.currency,
       price.price,
       coalesce(paid.paid, 0) AS paid,
       price.price - coalesce(paid.paid, 0) AS missing
FROM market.orders o
JOIN price ON price.order_id = o.order_id
LEFT JOIN paid ON paid.order_id = o.order_id
WHERE o.fake IS NOT TRUE AND o.status IN ('DELIVERED', 'PARTIALLY_DELIVERED')
  AND price.price > coalesce(paid.paid, 0)
ORDER BY o.status_update_date;
