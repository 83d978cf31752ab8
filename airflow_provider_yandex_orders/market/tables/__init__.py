# SPDX-License-Identifier: Apache-2.0
"""Tidy tables: declared as data, filled from decoded JSON, written as JSON Lines or Parquet."""
