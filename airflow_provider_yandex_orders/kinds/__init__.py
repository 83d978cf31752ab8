# SPDX-License-Identifier: Apache-2.0
"""The kinds of rows, declared once each."""
