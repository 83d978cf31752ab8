# SPDX-License-Identifier: Apache-2.0
"""Customers of the CRM, as Metrica's full mode has them."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.kind import Field, FieldType, RowKind

CONTACTS = RowKind(
    name="contacts",
    page="https://yandex.com/dev/metrika/en/management/openapi/schema/uploadContactJson_1",
    key=("uniq_id",),
    label="uniq_id",
    version="update_date_time",
    fields=(
        Field("uniq_id", FieldType.TEXT, "The customer's id in the CRM; orders refer to it.", required=True),
        Field("name", FieldType.TEXT, "Name."),
        Field("birth_date", FieldType.DATE, "Date of birth; JSON only.", csv=False),
        Field("create_date_time", FieldType.DATE_TIME, "When the customer was made, in the counter's zone."),
        Field("update_date_time", FieldType.DATE_TIME, "Last change; of two rows of one customer the later is sent."),
        Field("client_ids", FieldType.CLIENT_ID, "ClientIDs of Metrica: the best match.", many=True),
        Field("user_ids", FieldType.TEXT, "UserIDs the site gave to Metrica; JSON only.", many=True, csv=False),
        Field("emails", FieldType.EMAIL, "E-mail addresses.", many=True, hashed_into="emails_md5"),
        Field("phones", FieldType.PHONE, "Phone numbers with country code.", many=True, hashed_into="phones_md5"),
        Field("emails_md5", FieldType.MD5, "md5 sums of normalised e-mail addresses.", many=True),
        Field("phones_md5", FieldType.MD5, "md5 sums of normalised phone numbers.", many=True),
    ),
)
