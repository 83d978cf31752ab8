# SPDX-License-Identifier: Apache-2.0
"""What is particular to Yandex Metrica: its answers, its limits, its kinds of rows."""
