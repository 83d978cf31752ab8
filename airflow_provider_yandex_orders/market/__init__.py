# SPDX-License-Identifier: Apache-2.0
"""Order statistics from their pages to files: filters, paging, resuming, rows, publishing."""
