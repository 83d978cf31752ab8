# SPDX-License-Identifier: Apache-2.0
"""Airflow provider for order data: Yandex Metrica, Yandex Market and the Altcraft platform."""

__version__: str


def __getattr__(name: str) -> str:
    """The version, which is in the metadata of the installed package: looked up where it is asked for."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("airflow-provider-yandex-orders")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0+unknown"
