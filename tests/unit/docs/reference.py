# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/reference, made from the code.

``python -m tests.unit.docs.reference`` writes them anew.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow_provider_yandex_orders.cli.options import COMMANDS, Command
from airflow_provider_yandex_orders.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "reference"
PACKAGE = "airflow_provider_yandex_orders"
MADE = "<!-- made by python -m tests.unit.docs.reference -->\n"
SERVICES = ("metrica", "market", "altcraft")
SOURCES = ("SqlSource", "FileSource", "CallableSource", "MarketOrdersSource")


def plain(text: str) -> str:
    """A docstring's text as Markdown, on one line."""
    text = re.sub(r":(?:class|func|meth|mod):`~?([\w.]+)`", r"`\1`", text).replace("``", "`")
    return " ".join(text.split())


def cell(text: str) -> str:
    """A text as a cell of a table has it."""
    return plain(text).replace("|", "\\|").replace("<", "&lt;")


def described(documented: str) -> tuple[list[str], dict[str, str], str]:
    """A docstring: its paragraphs, its arguments, and what is returned."""
    text, *fields = re.split(r"\n\s*:(?=param |return:|raises )", inspect.cleandoc(documented))
    found = {}
    for field in fields:
        name, _, told = field.partition(":")
        found[name] = told.split("\n\n")[0]
    paragraphs = [each for each in text.split("\n\n") if not each.strip().startswith((".. ", "Source"))]
    paragraphs = [each for each in paragraphs if not each.startswith("Facts of the API")]
    return (
        paragraphs,
        {n.removeprefix("param "): t for n, t in found.items() if n.startswith("param ")},
        found.get("return", ""),
    )


def arguments(function: Any, told: Mapping[str, str]) -> list[str]:
    """The arguments of a callable as a table."""
    rows = []
    for each in inspect.signature(function).parameters.values():
        if each.name not in told or each.kind in (each.VAR_KEYWORD, each.VAR_POSITIONAL):
            continue
        default = "required" if each.default is each.empty else f"`{each.default!r}`"
        kind = each.annotation if isinstance(each.annotation, str) else getattr(each.annotation, "__name__", "Any")
        rows.append(f"| `{each.name}` | `{cell(kind)}` | {default} | {cell(told[each.name])} |".replace("`Any`", "any"))
    return ["| argument | type | default | meaning |", "|---|---|---|---|", *rows, ""] if rows else []


def class_section(kind: Any, level: str = "##") -> Iterator[str]:
    """A class: what it does, and its arguments."""
    paragraphs, told, returned = described(kind.__doc__ or "")
    yield from (f"{level} `{kind.__name__}`", "", f"`from {public(kind)} import {kind.__name__}`", "")
    for paragraph in paragraphs:
        yield from (plain(paragraph), "")
    yield from arguments(kind.__init__, told)
    if returned:
        yield from (f"Returns {plain(returned)}".rstrip(".") + ".", "")


def public(kind: Any) -> str:
    """The module that a class is imported from."""
    folder, module = kind.__module__.split(".")[1:3] if kind.__module__.count(".") > 1 else ("sources", "")
    return f"{PACKAGE}.{folder}" if folder == "sources" else f"{PACKAGE}.{folder}.{module}"


def classes(folder: str, ending: str) -> Iterator[Any]:
    """The public classes of all services."""
    listed = {each for entry in get_provider_info()[folder] for each in entry["python-modules"]}
    for service in SERVICES:
        if (name := f"{PACKAGE}.{folder}.{service}") not in listed:
            continue
        module = import_module(name)
        for each in sorted(n for n in getattr(module, "__all__", vars(module)) if n.endswith(ending)):
            kind = getattr(module, each)
            if kind.__module__.startswith(name) and ":param" in (kind.__doc__ or ""):
                yield kind


def page(title: str, *lines: str) -> str:
    return "\n".join([f"# {title}\n\n{MADE}", *lines]).rstrip() + "\n"


def operators() -> str:
    kinds = list(classes("operators", "Operator"))
    lead = (
        "Arguments of Airflow's own (`task_id`, `retries`, `pool`, ...) come on top. What an upload returns is "
        "[the delivery](../delivery.md); [the fields of each kind of row](../rows.md) stand with its guide."
    )
    return page("Operators", lead, "", *(line for kind in kinds for line in class_section(kind)))


def sensors() -> str:
    return page("Sensors", *(line for kind in classes("sensors", "Sensor") for line in class_section(kind)))


def hooks() -> str:
    lines: list[str] = []
    for kind in classes("hooks", "Hook"):
        lines += class_section(kind)
        for name, function in inspect.getmembers(kind, inspect.isfunction):
            own = function.__module__.startswith(PACKAGE) and not name.startswith("_") and name in vars(kind)
            if own and function.__doc__:
                paragraphs, told, returned = described(function.__doc__)
                given = ", ".join(each for each in inspect.signature(function).parameters if each != "self")
                lines += [f"### `{kind.__name__}.{name}({given})`", ""]
                for paragraph in paragraphs:
                    lines += [plain(paragraph), ""]
                lines += arguments(function, told)
                lines += [f"Returns {plain(returned)}".rstrip(".") + ".", ""] if returned else []
    return page("Hooks", *lines)


def sources() -> str:
    module = import_module(f"{PACKAGE}.sources")
    lines = ["[Sources](../sources.md) says how they are used.", ""]
    for name in SOURCES:
        lines += class_section(getattr(module, name))
    lines += class_section(import_module(f"{PACKAGE}.notifications.delivery").DeliveryNotifier)
    return page("Sources and notifiers", *lines)


def configuration() -> str:
    lines = ["Options of Airflow's configuration. Each is also an environment variable.", ""]
    for section, told in get_provider_info()["config"].items():
        lines += ["| option | environment | type | default | meaning |", "|---|---|---|---|---|"]
        for name, option in told["options"].items():
            variable = f"AIRFLOW__{section.upper()}__{name.upper()}"
            default = f"`{option['default']}`" if option["default"] else "empty"
            meaning = cell(f"{option['description']} Example: `{option['example']}`.")
            lines.append(f"| `[{section}] {name}` | `{variable}` | {option['type']} | {default} | {meaning} |")
    return page("Configuration", *lines)


def command_line() -> str:
    lines = [
        "On Airflow 3.3 `airflow yandex-orders ...`; on every version `python -m airflow_provider_yandex_orders ...`.",
        "",
    ]

    def told(name: str, command: Any) -> None:
        if not isinstance(command, Command):
            for inner, each in command[1].items():
                told(f"{name} {inner}", each)
            return
        lines.extend([f"## `{name}`", "", plain(command.help).rstrip(".") + ".", ""])
        if command.arguments:
            lines.extend(["| argument | default | meaning |", "|---|---|---|"])
            for flag, settings in command.arguments.items():
                default, choices = settings.get("default"), settings.get("choices")
                words = settings.get("help", "") + (
                    f"; one of {', '.join(f'`{each}`' for each in choices)}" if choices else ""
                )
                shown = "" if default in (None, "", False) else f"`{default}`"
                lines.append(f"| `{flag}` | {shown} | {cell(words)} |")
            lines.append("")

    for name, command in COMMANDS.items():
        told(name, command)
    return page("Command line", *lines)


class Texts(ast.NodeVisitor):
    """The codes of a module with their reasons and fixes, as the source has them; ``…`` for what is known only then."""

    PLACES: Mapping[str, int] = {"BadValue": 0, "RefusedValue": 0, "LeftOut": 0, "Fault": 1}

    def __init__(self, tree: ast.AST) -> None:
        self.found: list[tuple[str, str, str]] = []
        self.names: dict[str, str] = {}
        self.visit(tree)

    def text(self, node: ast.AST | None) -> str:
        match node:
            case ast.Constant(str() as value):
                return value
            case ast.JoinedStr(values=values):
                return "".join(self.text(each) for each in values)
            case ast.Name(name):
                return self.names.get(name, "…")
            case ast.FormattedValue(ast.Name(name)):
                return self.names.get(name, "…")
            case ast.IfExp(_, body, other):
                return " / ".join(filter(None, (self.text(body), self.text(other))))
        return "…"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer = dict(self.names)
        self.generic_visit(node)
        self.names = outer

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        match node.targets:
            case [ast.Name(name)] if isinstance(node.value, (ast.Constant, ast.JoinedStr, ast.IfExp)):
                self.names[name] = self.text(node.value)
            case [ast.Tuple(names)] if isinstance(node.value, ast.Tuple):
                for each, value in zip(names, node.value.elts, strict=True):
                    if isinstance(each, ast.Name):
                        self.names[each.id] = self.text(value)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in self.PLACES:
            given = dict(zip(("code", "reason", "fix"), node.args[self.PLACES[node.func.id] :], strict=False))
            given |= {each.arg: each.value for each in node.keywords if each.arg in ("code", "reason", "fix")}
            if isinstance(given.get("code"), ast.Constant):
                code, reason, fix = (self.text(given.get(name)) for name in ("code", "reason", "fix"))
                self.found.append((code, reason, fix))


def codes() -> str:
    told = (ROOT / "docs" / "rows.md").read_text(encoding="utf-8").partition("| `code` |")[2]
    order = re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in told.splitlines() if line.count("|") > 2))
    found: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        if not {"sandbox", "demo"} & set(path.relative_to(ROOT).parts):
            for code, reason, fix in Texts(ast.parse(path.read_text(encoding="utf-8"))).found:
                found[code][(reason, fix)] = None
    lines = [
        "What `reason` and `fix` say in `rejected.jsonl` and `dropped.jsonl`, code by code, as the code has them; `…` "
        "stands for what is known only then. [What the codes mean](../rows.md#codes-of-rejects-and-dropped-values).",
        "",
        "| code | reason | fix |",
        "|---|---|---|",
    ]
    for code in order:
        for reason, fix in found[code]:
            if {reason, fix} != {"…"}:
                lines.append(f"| `{code}` | {cell(reason)} | {cell(fix)} |")
    return page("Codes with cause and fix", *lines)


PAGES = {each.__name__: each for each in (operators, sensors, hooks, sources, configuration, command_line, codes)}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / f"{name}.md").write_text(make(), encoding="utf-8")
