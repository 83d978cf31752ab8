# SPDX-License-Identifier: Apache-2.0
"""What people see in Airflow's pages: the deliveries, told from the journal."""
