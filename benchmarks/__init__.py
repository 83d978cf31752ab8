# SPDX-License-Identifier: Apache-2.0
"""The package beside what a user would take in its place, measured in turn: ``python -m benchmarks [name ...]``."""
