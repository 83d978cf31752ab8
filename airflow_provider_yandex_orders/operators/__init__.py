# SPDX-License-Identifier: Apache-2.0
"""Operators: one step of a pipeline each."""
