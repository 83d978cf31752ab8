# SPDX-License-Identifier: Apache-2.0
"""Sensors: waiting for what a service does with an upload."""
