# SPDX-License-Identifier: Apache-2.0
"""Rows on disk and on storage: the newest of each key, and files small enough to send."""
