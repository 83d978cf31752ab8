# SPDX-License-Identifier: Apache-2.0
"""Operators and sensors say what they take: every argument spelled and described where it is spelled."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, BaseSensorOperator

from airflow_provider_yandex_orders.operators import metrica
from airflow_provider_yandex_orders.operators.metrica.base import MetricaUploadOperator
from airflow_provider_yandex_orders.sensors.altcraft import AltcraftOrdersSensor
from airflow_provider_yandex_orders.sensors.metrica import MetricaCrmUploadSensor, MetricaOfflineConversionsSensor

PUBLIC: list[Any] = [
    *(getattr(metrica, name) for name in metrica.__all__),
    AltcraftOrdersSensor,
    MetricaCrmUploadSensor,
    MetricaOfflineConversionsSensor,
]
CLASSES = [*PUBLIC, MetricaUploadOperator]
UPLOADS = [each for each in CLASSES if issubclass(each, MetricaUploadOperator)]
classes = pytest.mark.parametrize("kind", CLASSES, ids=lambda each: each.__name__)


def spelled(kind: Any) -> dict[str, inspect.Parameter]:
    return {name: each for name, each in inspect.signature(kind).parameters.items() if each.kind is each.KEYWORD_ONLY}


def described(kind: Any) -> dict[str, str]:
    parts = re.split(r"\n\s*:param (\w+): ", inspect.cleandoc(kind.__doc__))
    texts = [re.split(r"\n\s*:return:|\n\n", each)[0] for each in parts[2::2]]
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], texts, strict=True)}


@classes
def test_every_argument_is_spelled_and_described(kind: Any) -> None:
    assert list(spelled(kind)) == list(described(kind))
    assert all(each.annotation is not each.empty for each in spelled(kind).values())


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda each: each.__name__)
def test_only_airflows_own_arguments_travel_unnamed(kind: Any) -> None:
    with pytest.raises(Exception, match="no_such_argument"):
        kind(task_id="task", no_such_argument=1, **dict.fromkeys(spelled(kind)))


@classes
def test_what_is_templated_is_said(kind: Any) -> None:
    told = {name for name, text in described(kind).items() if "(templated)" in text}
    if "All arguments but ``deferrable`` and ``emit_asset`` are templated." in kind.__doc__:
        assert not told
        told = {*described(kind)} - {"deferrable", "emit_asset"}
    assert told == {name.removeprefix("_") for name in kind.template_fields}


@pytest.mark.parametrize("kind", UPLOADS, ids=lambda each: each.__name__)
def test_one_argument_has_one_meaning(kind: Any) -> None:
    for name, text in described(kind).items():
        for other in UPLOADS:
            assert described(other).get(name, text) == text


@classes
def test_classes_stand_at_most_three_levels_above_airflows(kind: Any) -> None:
    ours = [each for each in kind.__mro__ if each.__module__.startswith("airflow_provider_yandex_orders")]
    assert len(ours) <= 3


@classes
def test_helpers_and_steps_are_private(kind: Any) -> None:
    airflows = {*dir(BaseOperator), *dir(BaseSensorOperator), *kind.template_fields}
    public = {name for name in dir(kind) if not name.startswith("_")} - airflows
    assert public <= {"execute_complete", "source", "status_map", "get_openlineage_facets_on_complete"}


def test_a_task_is_warned_only_where_it_does_not_wait(recwarn: pytest.WarningsRecorder) -> None:
    given: dict[str, Any] = {"task_id": "task", "source": [], "default_args": {"deferrable": True}}
    for kind in UPLOADS:
        if not inspect.isabstract(kind):
            kind(**given, wait_for_completion=True)
            assert not [each for each in recwarn if "does nothing" in str(each.message)]
            with pytest.warns(UserWarning, match="wait_for_completion=True"):
                kind(**given)
            recwarn.clear()
