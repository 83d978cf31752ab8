# SPDX-License-Identifier: Apache-2.0
"""What OpenLineage hears of uploads and fetches. Only its provider asks, so only where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import Asset
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.openlineage.sqlparser import SQLParser
from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
    sql_job,
)

from airflow_provider_yandex_orders.assets import convert_asset_to_openlineage

_FAULTS = ("rows_rejected", "rows_duplicate", "rows_deferred", "rows_outdated", "values_dropped")


def upload_lineage(source: Any, uri: str, delivery: Mapping[str, Any]) -> OperatorLineage[Any, Any]:
    """The lineage of an upload."""
    inputs, job_facets = _inputs(source)
    columns = source.columns if isinstance(getattr(source, "columns", None), Mapping) else {}
    mapping = {target: [each] if isinstance(each, str) else list(each) for target, each in columns.items()}
    quality = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
        rowCount=delivery["rows_read"], columnMetrics={}
    )
    assertions = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=name, success=not delivery[name], expected="0", actual=str(delivery[name])
            )
            for name in _FAULTS
        ]
    )
    read = [
        InputDataset(
            each.namespace,
            each.name,
            facets={"schema": _schema([each for mapped in mapping.values() for each in mapped])},
            inputFacets={"dataQualityMetrics": quality, "dataQualityAssertions": assertions},
        )
        for each in inputs
    ]
    facets: dict[str, Any] = {"schema": _schema(mapping)}
    if len(read) == 1:  # of a query on several tables nobody knows whose a column is
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(
            fields={
                target: column_lineage_dataset.Fields(
                    inputFields=[
                        column_lineage_dataset.InputField(read[0].namespace, read[0].name, each) for each in mapped
                    ]
                )
                for target, mapped in mapping.items()
            }
        )
    size = sum(part["bytes"] for part in delivery["parts"]) or None
    return OperatorLineage(
        inputs=read, outputs=[_output(_of_asset(uri), delivery["rows_sent"], size, facets)], job_facets=job_facets
    )


def fetch_lineage(uris: Mapping[str, str], rows: Mapping[str, int]) -> OperatorLineage[Any, Any]:
    """The lineage of a fetch.

    :param uris: by table, the address of its asset.
    :param rows: by file, how many it holds.
    """
    outputs = [_output(_file(path), count, None, {}) for path, count in rows.items()]
    return OperatorLineage(inputs=[_of_asset(uri) for uri in uris.values()], outputs=outputs)


def _inputs(source: Any) -> tuple[list[Dataset], dict[str, Any]]:
    """The tables or files a source reads, and the query."""
    if hasattr(source, "sql"):
        hook = source._hook()
        connection = hook.get_connection(source.conn_id)
        dialect = hook.get_openlineage_database_dialect(connection)
        facets = {"sql": sql_job.SQLJobFacet(query=source.sql)}
        info = hook.get_openlineage_database_info(connection)
        if info is None:  # of such a database the parser knows no schemas
            parsed = SQLParser(dialect).parse(source.sql)
            tables = parsed.in_tables if parsed else []
            place = f"{connection.conn_type}://{connection.host}"
            return [Dataset(place, each.qualified_name) for each in tables], facets
        parser = SQLParser(dialect, hook.get_openlineage_default_schema())
        found = parser.generate_openlineage_metadata_from_sql(source.sql, hook, info, use_connection=False)
        return found.inputs, facets
    return [_file(path) for path in _paths(source)], {}


def _paths(source: Any) -> Iterator[str]:
    told = getattr(source, "path", None) or (source.serialize().get("paths") if hasattr(source, "serialize") else None)
    for path in [told] if isinstance(told, str) else told if isinstance(told, Sequence) else ():
        yield str(path)


def _file(path: str) -> Dataset:
    parts = urlsplit(path)
    namespace = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "file"
    return Dataset(namespace, parts.path.lstrip("/") if parts.netloc else parts.path)


def _of_asset(uri: str) -> Any:
    return convert_asset_to_openlineage(Asset(uri=uri))


def _schema(names: Sequence[str] | Mapping[str, Any]) -> Any:
    fields = [schema_dataset.SchemaDatasetFacetFields(name=name) for name in dict.fromkeys(names)]
    return schema_dataset.SchemaDatasetFacet(fields=fields)


def _output(place: Any, rows: int, size: int | None, facets: Mapping[str, Any]) -> OutputDataset:
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows, size=size)
    return OutputDataset(
        place.namespace, place.name, facets=dict(facets), outputFacets={"outputStatistics": statistics}
    )
