-- Revenue by day and store, of the orders made on a day: what their buyers pay (goods, delivery), what Market adds
-- (points and coupons), and what has been transferred so far, refunds taken off. Money grows for weeks.
CREATE OR REPLACE VIEW market.revenue_by_day_and_store AS
WITH price AS (
    SELECT p.order_id,
           sum(CASE WHEN p.type = 'BUYER' AND NOT i.is_delivery THEN p.total ELSE 0 END) AS goods,
           sum(CASE WHEN p.type = 'BUYER' AND i.is_delivery THEN p.total ELSE 0 END) AS delivery,
           sum(CASE WHEN p.type <> 'BUYER' THEN p.total ELSE 0 END) AS by_market
    FROM market.prices p
    JOIN market.items i ON i.order_id = p.order_id AND i.item_no = p.item_no
    GROUP BY p.order_id
), paid AS (
    SELECT order_id, sum(CASE WHEN type = 'REFUND' THEN -total ELSE total END) AS paid
    FROM market.payments
    GROUP BY order_id
)
SELECT o.creation_date AS day, o.campaign_id, o.currency,
       count(*) AS orders,
       coalesce(sum(price.goods), 0) AS goods,
       coalesce(sum(price.delivery), 0) AS delivery,
       coalesce(sum(price.by_market), 0) AS by_market,
       coalesce(sum(paid.paid), 0) AS paid
FROM market.orders o
LEFT JOIN price ON price.order_id = o.order_id
LEFT JOIN paid ON paid.order_id = o.order_id
WHERE o.fake IS NOT TRUE AND coalesce(o.status, '') NOT LIKE 'CANCELLED%'
GROUP BY o.creation_date, o.campaign_id, o.currency;
