# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_yandex_orders.sandbox compare``: where a live service and the sandbox differ.

It sends the same harmless requests to the service of a connection and to a fresh sandbox, and prints what the answers
have of shape: statuses, fields and their types, and the words of refusals. Values of good answers are never shown.
"""
