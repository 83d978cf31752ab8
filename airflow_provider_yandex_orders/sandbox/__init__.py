# SPDX-License-Identifier: Apache-2.0
"""A local stand-in for the services this package talks to: try every DAG without an account.

Run it with ``python -m airflow_provider_yandex_orders.sandbox``, from code with
:class:`~airflow_provider_yandex_orders.sandbox.server.SandboxServer`, or in a test with the pytest fixture
``yandex_sandbox``.

It is written from the services' documentation and shares no code with the hooks and operators of this package:
a shared mistake would agree with itself. Each service is a folder here, with its own tables, routes and errors.
Nothing is imported at this level, so that the pytest plugin costs nothing until its fixture is used.
"""
