# SPDX-License-Identifier: Apache-2.0
"""Fetched orders into a warehouse: which rows are loaded, where to, and how old ones give way to them."""
