# SPDX-License-Identifier: Apache-2.0
"""Airflow provider for order data: Yandex Metrica, Yandex Market and the Altcraft platform."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("airflow-provider-yandex-orders")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
