# SPDX-License-Identifier: Apache-2.0
"""The command ``token``: how to get one, what it may do, and whether that of a connection works."""

from __future__ import annotations

import sys
from argparse import Namespace
from importlib import import_module
from typing import Final

WAYS: Final = {
    "metrica": """\
An OAuth token of Yandex, for a connection of type yandex_metrica.

  1. Register an application at https://oauth.yandex.ru with the right metrika:write.
     For uploads alone metrika:read and metrika:offline_data will do.
  2. Signed in as the account that has the counter as its own or with edit rights, open
     https://oauth.yandex.ru/authorize?response_type=token&client_id=<the application's ClientID>
  3. Copy the token (y0_...) alone into the password of the connection, the number beside the counter's name
     into the field "Counter id", and today's date into "Token issued on".

It may change counters, goals and data of every counter that account may edit (metrika:write), or read them and
upload data (the other two). It lives about a year, and dies with a change of the account's password.""",
    "market": """\
An Api-Key of Yandex Market, for a connection of type yandex_market.

  1. In the seller's cabinet open the settings of API and modules; only its owner and managers can.
  2. Make an Api-Key with the right inventory-and-order-processing:read-only, or a wider one.
     finance-and-accounting does not open order statistics.
  3. Copy the key (ACMA:...) alone into the password of the connection, and the store's campaign id into the
     field "Campaign id": MarketHook().campaigns() lists those a key sees.

It may read the orders of every store of that cabinet. This package only reads.""",
    "altcraft": """\
An API token of an Altcraft Platform, for a connection of type altcraft.

  1. A Master user makes it under Settings, Tokens, with the market roles.
  2. Copy it into the password of the connection, and the platform's address into its host.

It may read and import orders, and imports may start triggers that write to customers.""",
}


def token(options: Namespace) -> int:
    """Print how to get a token; with a connection, what "Test" says of it.

    :return: 0; 1 where the connection's token does not work; 2 where there is no such connection.
    """
    if options.conn_id is None:
        print(WAYS[options.service])
        return 0
    from airflow.models.connection import Connection
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    from airflow_provider_yandex_orders.get_provider_info import get_provider_info

    try:
        connection = Connection.get_connection_from_secrets(options.conn_id)
    except AirflowNotFoundException:
        print(f"There is no connection {options.conn_id!r}: `airflow connections list` shows them.", file=sys.stderr)
        return 2
    hooks = {each["connection-type"]: each["hook-class-name"] for each in get_provider_info()["connection-types"]}
    wanted = next(each for each in hooks if each.endswith(options.service))
    if connection.conn_type != wanted:
        print(f"The connection {options.conn_id!r} has the type {connection.conn_type}, not {wanted}.", file=sys.stderr)
        return 2
    module, _, name = hooks[wanted].rpartition(".")
    works, told = getattr(import_module(module), name)(options.conn_id, connection=connection).test_connection()
    print(told)
    return 0 if works else 1
