# SPDX-License-Identifier: Apache-2.0
"""Triggers: waiting without a worker slot."""
