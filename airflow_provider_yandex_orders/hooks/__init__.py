# SPDX-License-Identifier: Apache-2.0
"""Hooks: connections and calls, one hook a service."""
