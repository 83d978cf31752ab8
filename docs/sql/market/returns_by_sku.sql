-- Units by store and the seller's SKU: ordered, left in the order, not bought on delivery, returned.
CREATE OR REPLACE VIEW market.returns_by_sku AS
WITH back AS (
    SELECT order_id, item_no,
           sum(CASE WHEN item_status = 'REJECTED' THEN item_count ELSE 0 END) AS rejected,
           sum(CASE WHEN item_status = 'RETURNED' THEN item_count ELSE 0 END) AS returned
    FROM market.details
    GROUP BY order_id, item_no
)
SELECT o.campaign_id, i.shop_sku,
       max(i.offer_name) AS offer_name,
       sum(coalesce(i.initial_count, i.count)) AS units_ordered,
       sum(i.count) AS units_left,
       coalesce(sum(back.rejected), 0) AS units_rejected,
       coalesce(sum(back.returned), 0) AS units_returned
FROM market.items i
JOIN market.orders o ON o.order_id = i.order_id
LEFT JOIN back ON back.order_id = i.order_id AND back.item_no = i.item_no
WHERE o.fake IS NOT TRUE AND NOT i.is_delivery
GROUP BY o.campaign_id, i.shop_sku;
