# SPDX-License-Identifier: Apache-2.0
"""What Airflow is told of the package is true."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from importlib import import_module, resources
from typing import Any

import pytest

from airflow_provider_yandex_orders.get_provider_info import get_provider_info

INFO = get_provider_info()


def modules() -> Iterator[str]:
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in INFO[kind]:
            yield from entry["python-modules"]


def hooks() -> Iterator[tuple[dict[str, Any], Any]]:
    for entry in INFO["connection-types"]:
        module, _, name = entry["hook-class-name"].rpartition(".")
        yield entry, getattr(import_module(module), name)


def test_airflows_own_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)
    json.dumps(INFO)


def test_the_schema_would_refuse_a_mistake() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**INFO, "connection-types": [{"connection-type": 5}]}, schema)


@pytest.mark.parametrize("module", sorted(set(modules())))
def test_modules_import(module: str) -> None:
    assert import_module(module).__doc__


def named() -> Iterator[str]:
    yield from INFO["notifications"]
    for entry in INFO["asset-uris"]:
        yield from (path for name, path in entry.items() if name != "schemes")


@pytest.mark.parametrize("path", named())
def test_what_is_named_is_there(path: str) -> None:
    module, _, name = path.rpartition(".")
    assert callable(getattr(import_module(module), name))


def test_every_integration_is_declared() -> None:
    declared = {each["integration-name"] for each in INFO["integrations"]}
    used = {each["integration-name"] for kind in ("hooks", "operators", "sensors", "triggers") for each in INFO[kind]}
    assert used <= declared


@pytest.mark.parametrize(("entry", "hook"), hooks(), ids=lambda value: getattr(value, "__name__", ""))
def test_hooks_are_as_declared(entry: dict[str, Any], hook: Any) -> None:
    assert hook.conn_type == entry["connection-type"]
    assert hook.hook_name == entry["hook-name"]
    assert hook.default_conn_name == f"{hook.conn_type}_default"
    first = next(iter(list(inspect.signature(hook).parameters.values())))
    assert (first.name, first.default) == (hook.conn_name_attr, hook.default_conn_name)
    assert getattr(hook(), hook.conn_name_attr) == hook.default_conn_name


@pytest.mark.parametrize(("entry", "hook"), hooks(), ids=lambda value: getattr(value, "__name__", ""))
def test_forms_of_both_ages_are_the_same(entry: dict[str, Any], hook: Any) -> None:
    behaviour = hook.get_ui_field_behaviour()
    assert set(behaviour) == {"hidden_fields", "relabeling", "placeholders"}
    assert behaviour == {key.replace("-", "_"): value for key, value in entry["ui-field-behaviour"].items()}
    pytest.importorskip("flask_appbuilder", reason="only Airflow before 3.2 with FAB makes forms of widgets")
    widgets = hook.get_connection_form_widgets()
    assert set(widgets) == set(entry.get("conn-fields", {}))


@pytest.mark.parametrize(("entry", "hook"), hooks(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_field_says_what_it_wants(entry: dict[str, Any], hook: Any) -> None:
    behaviour = entry["ui-field-behaviour"]
    shown = {"host", "login", "password", "port"} - set(behaviour["hidden-fields"])
    assert set(behaviour["placeholders"]) == shown
    assert behaviour["relabeling"]["password"].endswith("(required)")
    assert ("host" in behaviour["relabeling"]) is (hook.default_host is None)
    assert ("login" in shown) is bool(hook.id_field)
    for field in entry["conn-fields"].values():
        schema = field["schema"]
        assert field["label"]
        assert field["description"].endswith(".")
        assert None not in schema.get("enum", [])  # a form shows it as the word null
        assert list(schema.get("values_display", {})) == schema.get("enum", [])
        if "enum" in schema:
            assert (schema["enum"], schema["default"]) == (list(hook.auth_types), hook.auth_types[0])


def test_the_form_of_airflow_has_it_all() -> None:
    service = pytest.importorskip("airflow.api_fastapi.core_api.services.ui.connections", reason="no such form here")
    (metrica,) = [each for each in service.HookMetaService.hook_meta_data() if each.connection_type == "yandex_metrica"]
    standard = metrica.standard_fields
    assert standard.url_schema.hidden
    assert [standard.login.title, standard.password.title] == ["Counter id", "OAuth token (required)"]
    assert standard.password.placeholder.startswith("y0_")
    assert list(metrica.extra_fields) == ["token_issued"]


def test_airflow_lists_the_connection_types() -> None:
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    assert "airflow-provider-yandex-orders" in manager.providers
    for entry, hook in hooks():
        listed = manager.hooks[entry["connection-type"]]
        assert listed is not None
        assert listed.hook_class_name == f"{hook.__module__}.{hook.__qualname__}"
        assert listed.hook_name == entry["hook-name"]
        assert listed.connection_id_attribute_name == hook.conn_name_attr


def test_airflow_before_it_read_declarations_has_the_whole_form_too() -> None:
    pytest.importorskip("flask_appbuilder", reason="only Airflow before 3.2 with FAB makes forms of widgets")
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    for entry, _hook in hooks():
        kind = entry["connection-type"]
        assert manager.field_behaviours[kind]["relabeling"] == entry["ui-field-behaviour"]["relabeling"]
        assert {f"extra__{kind}__{name}" for name in entry["conn-fields"]} <= set(manager.connection_form_widgets)


@pytest.mark.parametrize("option", list(INFO["config"]["yandex_orders"]["options"]))
def test_the_configuration_options_are_read(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.sdk import conf

    monkeypatch.setenv(f"AIRFLOW__YANDEX_ORDERS__{option.upper()}", "/somewhere")
    assert conf.get("yandex_orders", option) == "/somewhere"


def test_a_hook_made_of_one_of_these_keeps_its_own_form() -> None:
    from airflow_provider_yandex_orders.hooks.metrica import MetricaHook

    class Own(MetricaHook):
        @classmethod
        def get_ui_field_behaviour(cls) -> dict[str, Any]:
            return {"relabeling": {"password": "Our token"}}

    class Further(Own):
        conn_type = "further"

    assert Own.get_ui_field_behaviour() == Further.get_ui_field_behaviour()
    assert "get_ui_field_behaviour" in vars(Further)
    assert MetricaHook.get_ui_field_behaviour()["relabeling"] != Own.get_ui_field_behaviour()["relabeling"]
