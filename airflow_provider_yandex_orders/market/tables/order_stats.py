# SPDX-License-Identifier: Apache-2.0
"""The tables of Market's order statistics.

Source: https://yandex.ru/dev/market/partner-api/doc/ru/reference/orders-stats/getOrdersStats
Names are the service's own in snake_case. Days and naive date-times of the service are in Moscow time. Money is in the
currency of the order. Words such as statuses are kept as they come: the service adds new ones without notice.
"""

from __future__ import annotations

from airflow_provider_yandex_orders.market.api import STATUSES
from airflow_provider_yandex_orders.market.tables.declare import UNKNOWN, Column, Table, Type

_PAYMENT_TYPES = ("PREPAID", "POSTPAID", "UNKNOWN")
_COMMISSIONS = (
    "FEE",
    "FULFILLMENT",
    "LOYALTY_PARTICIPATION_FEE",
    "AUCTION_PROMOTION",
    "INSTALLMENT",
    "DELIVERY_TO_CUSTOMER",
    "EXPRESS_DELIVERY_TO_CUSTOMER",
    "AGENCY",
    "PAYMENT_TRANSFER",
    "RETURNED_ORDERS_STORAGE",
    "SORTING",
    "INTAKE_SORTING",
    "RETURN_PROCESSING",
    "ILLIQUID_GOODS_SALE",
    "CROSSREGIONAL_DELIVERY",
    "FULFILLMENT_WITHDRAW",
    "ITEM_BOOKING",
)

_ORDER = Column("order_id", Type.INTEGER, "The order's id on Market.")
_ITEM = Column(
    "item_no", Type.INTEGER, "The item's place in the order as it was placed, from 1; 0 and below for delivery."
)

ORDERS = Table(
    "orders",
    "One row an order.",
    ("order_id",),
    (
        _ORDER,
        Column("creation_date", Type.DATE, "Day the order was made.", "creationDate"),
        Column("status_update_date", Type.MOMENT, "Last change of the status.", "statusUpdateDate"),
        Column("status", Type.TEXT, "Status, such as `DELIVERED`.", "status", words=STATUSES),
        Column("partner_order_id", Type.TEXT, "The order's id in the seller's system.", "partnerOrderId"),
        Column("payment_type", Type.TEXT, "`PREPAID`, `POSTPAID` or `UNKNOWN`.", "paymentType", words=_PAYMENT_TYPES),
        Column("fake", Type.BOOLEAN, "Whether it is a test order: leave those out of sums.", "fake"),
        Column("currency", Type.TEXT, "Currency of all money of the order; roubles are `RUR`, not `RUB`.", "currency"),
        Column("buyer_type", Type.TEXT, "`PERSON` or `BUSINESS`, where the service gives it.", "buyerType"),
        Column("delivery_region_id", Type.INTEGER, "Region the order goes to.", "deliveryRegion.id"),
        Column("delivery_region_name", Type.TEXT, "Its name.", "deliveryRegion.name"),
        UNKNOWN,
    ),
    parts=("id", "items", "initialItems", "payments", "commissions", "subsidies"),
)

ITEMS = Table(
    "items",
    "One row an item of the order as it was placed, items taken out since included (`count` 0), and one for delivery.",
    ("order_id", "item_no"),
    (
        _ORDER,
        _ITEM,
        Column("is_delivery", Type.BOOLEAN, "Whether the row is the delivery, not goods: leave it out of unit counts."),
        Column("count", Type.INTEGER, "Units that remain in the order.", "count"),
        Column("initial_count", Type.INTEGER, "Units first ordered.", "initialCount"),
        Column("offer_name", Type.TEXT, "Name of the product.", "offerName"),
        Column("market_sku", Type.INTEGER, "Id of the product's card on Market.", "marketSku"),
        Column("shop_sku", Type.TEXT, "The seller's SKU.", "shopSku"),
        Column(
            "bid_fee",
            Type.DECIMAL,
            "Bid that was charged, in per cent of the price (the service's 570 is 5.7 here).",
            "bidFee",
            hundredths=True,
        ),
        Column("cofinance_threshold", Type.DECIMAL, "Threshold price of the shared discount.", "cofinanceThreshold"),
        Column("cofinance_value", Type.DECIMAL, "The shared discount.", "cofinanceValue"),
        Column("cis_list", Type.JSON, "Marking codes of the units: a list.", "cisList"),
        Column("warehouse_id", Type.INTEGER, "Warehouse that holds the item.", "warehouse.id"),
        Column("warehouse_name", Type.TEXT, "Its name.", "warehouse.name"),
        UNKNOWN,
    ),
    parts=("prices", "details"),
)

PRICES = Table(
    "prices",
    "One row a price of an item that remains in the order, or of the delivery.",
    ("order_id", "item_no", "price_no"),
    (
        _ORDER,
        _ITEM,
        Column("price_no", Type.INTEGER, "The price's place in its item, from 1."),
        Column(
            "type",
            Type.TEXT,
            "`BUYER` (paid by the buyer, after all discounts), `CASHBACK` (Plus points) or `MARKETPLACE` (coupons).",
            "type",
            words=("BUYER", "CASHBACK", "MARKETPLACE"),
        ),
        Column("cost_per_item", Type.DECIMAL, "For one unit, VAT included.", "costPerItem"),
        Column("total", Type.DECIMAL, "For all units, VAT included.", "total"),
        UNKNOWN,
    ),
)

DETAILS = Table(
    "details",
    "One row a group of units that were rejected or returned.",
    ("order_id", "item_no", "detail_no"),
    (
        _ORDER,
        _ITEM,
        Column("detail_no", Type.INTEGER, "The group's place in its item, from 1."),
        Column(
            "item_status",
            Type.TEXT,
            "`REJECTED` (ordered, not paid) or `RETURNED`.",
            "itemStatus",
            words=("REJECTED", "RETURNED"),
        ),
        Column("item_count", Type.INTEGER, "Units in that status.", "itemCount"),
        Column("update_date", Type.DATE, "Day Market's warehouse processed the return (FBY only).", "updateDate"),
        Column("stock_type", Type.TEXT, "State of the goods, such as `FIT` or `DEFECT` (FBY only).", "stockType"),
        UNKNOWN,
    ),
)

PAYMENTS = Table(
    "payments",
    "One row a transfer; none while the order is only beginning, or was cancelled before its hand-over.",
    ("order_id", "payment_no"),
    (
        _ORDER,
        Column("payment_no", Type.INTEGER, "The transfer's place in the order, from 1."),
        Column("id", Type.TEXT, "Id of the transfer.", "id"),
        Column("date", Type.DATE, "Day of the transfer.", "date"),
        Column(
            "type", Type.TEXT, "`PAYMENT` or `REFUND`; both totals are positive.", "type", words=("PAYMENT", "REFUND")
        ),
        Column("source", Type.TEXT, "Who paid, such as `BUYER`.", "source"),
        Column("total", Type.DECIMAL, "Amount.", "total"),
        Column("payment_order_id", Type.TEXT, "Number of the bank's payment order.", "paymentOrder.id"),
        Column("payment_order_date", Type.DATE, "Its day.", "paymentOrder.date"),
        UNKNOWN,
    ),
)

COMMISSIONS = Table(
    "commissions",
    "One row a service of Market that the order is billed for.",
    ("order_id", "commission_no"),
    (
        _ORDER,
        Column("commission_no", Type.INTEGER, "The commission's place in the order, from 1."),
        Column(
            "type",
            Type.TEXT,
            "The service, such as `FEE` (placement) or `DELIVERY_TO_CUSTOMER`.",
            "type",
            words=_COMMISSIONS,
        ),
        Column("actual", Type.DECIMAL, "Amount billed and to be paid.", "actual"),
        UNKNOWN,
    ),
)

SUBSIDIES = Table(
    "subsidies",
    "One row an amount of points that lowers the placement fee, or takes that back.",
    ("order_id", "subsidy_no"),
    (
        _ORDER,
        Column("subsidy_no", Type.INTEGER, "The subsidy's place in the order, from 1."),
        Column(
            "operation_type",
            Type.TEXT,
            "`ACCRUAL` or `DEDUCTION`; both amounts are positive.",
            "operationType",
            words=("ACCRUAL", "DEDUCTION"),
        ),
        Column(
            "type",
            Type.TEXT,
            "`YANDEX_CASHBACK`, `SUBSIDY` or `DELIVERY`.",
            "type",
            words=("YANDEX_CASHBACK", "SUBSIDY", "DELIVERY"),
        ),
        Column("amount", Type.DECIMAL, "Points.", "amount"),
        UNKNOWN,
    ),
)

TABLES = (ORDERS, ITEMS, PRICES, DETAILS, PAYMENTS, COMMISSIONS, SUBSIDIES)

RAW = Table(
    "raw",
    "One row an order as the service wrote it (the Parquet form of the raw file).",
    ("order_id",),
    (
        Column("order_id", Type.INTEGER, "The order's id on Market; null where the service gave none."),
        Column("order", Type.JSON, "The order, character by character as the service wrote it."),
    ),
    group_rows=2_000,
)
