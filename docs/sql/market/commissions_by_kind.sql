-- What Market bills, by store, month of the order and kind of service; cancelled orders are billed too.
CREATE OR REPLACE VIEW market.commissions_by_kind AS
SELECT o.campaign_id, CAST(date_trunc('month', o.creation_date) AS date) AS month, c.type, o.currency,
       count(DISTINCT c.order_id) AS orders,
       sum(c.actual) AS actual
FROM market.commissions c
JOIN market.orders o ON o.order_id = c.order_id
WHERE o.fake IS NOT TRUE
GROUP BY o.campaign_id, CAST(date_trunc('month', o.creation_date) AS date), c.type, o.currency;
