# SPDX-License-Identifier: Apache-2.0
"""What tests stand on: a private Airflow, a private PostgreSQL server, a memory meter."""
