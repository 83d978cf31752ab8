# SPDX-License-Identifier: Apache-2.0
"""The demo: a CRM full of real orders, and one command that carries them through a real Airflow."""
