# SPDX-License-Identifier: Apache-2.0
"""The quick pass over rows: a function made for one run and one set of columns, which takes rows that are plainly good.

It has no authority: of a row that is not plainly good it says nothing, and the full checkers judge it. So it can only
be wrong by being narrow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any

import msgspec

from airflow_provider_yandex_orders.rows import types
from airflow_provider_yandex_orders.rows.cells import is_missing, meant
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.formats import FileFormat, cell, line_writer, meaning
from airflow_provider_yandex_orders.rows.forms import LEAST_LIMIT, Form, moment
from airflow_provider_yandex_orders.rows.identifiers import hash_of, sum_of
from airflow_provider_yandex_orders.rows.kind import Field
from airflow_provider_yandex_orders.sources.base import Row
from airflow_provider_yandex_orders.sources.columns import Picker, Step

Found = tuple[str | None, str, bytes, str, str, str | None, bytes, bytes | None]
"""What the spool takes of a row: key, version, line, mark, file, owner, content, note."""
Quick = Callable[[Row], Found | None]
Seen = tuple[str, str, str, int, str]
"""What a value comes to: a cell of CSV; a member of a JSON object, with a comma, as the journal knows it and as a file
has it; how many values are counted; and what it tells as a version. An empty one is empty in all."""

_KEPT = 4096
"""Words of one column that are kept in mind with what they come to, and the greatest length of one."""
_LONGEST = 100
_NOTHING: Seen = ("", "", "", 0, "")
_VERSION = moment("sortable")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a plainly good row lies, and what is noted of it.

    :param created: least and greatest of the field the linking window counts from; ``None`` for any.
    :param now: seconds since 1970, which no moment that must have passed is after.
    :param amounts: fields whose amounts are noted.
    """

    created: tuple[Any, Any] | None
    now: float
    amounts: Sequence[str] = ()


class Compiler:
    """Makes quick passes.

    :param check: judges what they leave.
    :param pick: finds the fields' values.
    :param files: names of the upload's files and how each is written.
    :param bounds: what rows lie between.
    :param notes: counts rows by what is noted of them.
    :param word: told each status that rows have in the source, and how many have it, where that is asked for.
    """

    def __init__(
        self,
        check: RowChecker,
        pick: Picker,
        files: Mapping[str, FileFormat],
        bounds: Callable[[], Bounds],
        notes: Counter[str],
        word: Callable[[Any, int], None] | None,
    ) -> None:
        self.check, self.pick, self.files, self._bounds, self.notes = check, pick, files, bounds, notes
        self.word = word
        self._counted: list[Callable[[], object]] = []

    def make(self, keys: tuple[Any, ...]) -> Quick | None:
        """The pass over rows with these columns; ``None`` where all of them need the full checkers."""
        try:
            text, names, counted = _Text(self, self._bounds()).of(keys)
        except _NotPlain:
            return None
        self._counted += counted
        exec(compile(text, "<quick pass>", "exec"), names)  # noqa: S102 - made of the kind's declaration
        quick: Quick = names["quick"]
        return quick

    def source(self, keys: tuple[Any, ...]) -> str:
        """The source text of the pass, for people; empty where there is none."""
        try:
            return _Text(self, self._bounds()).of(keys)[0]
        except _NotPlain:
            return ""

    def count(self) -> None:
        """Add what the passes have counted to where the full checkers count."""
        for add in self._counted:
            add()


class _NotPlain(Exception):
    """Something needs the full checkers in every row."""


class _Known(dict[str, Seen]):
    """What words come to, asked of the checker when they are first met."""

    def __init__(self, look: Callable[[Any], Seen | None]) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, word: str) -> Seen | None:
        found = self._look(word)
        if found is not None and len(self) < _KEPT and len(word) <= _LONGEST:
            self[word] = found
        return found


@dataclass
class _Text:
    """Writes one pass. ``t3``, ``c3``, ``j3`` and ``n3`` are the parts of what the field at place 3 comes to.

    :param run: what it is made for.
    """

    run: Compiler
    bounds: Bounds
    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    forms: dict[str, list[Form]] = field(default_factory=dict)
    counted: list[Callable[[], object]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.check, self.kind = self.run.check, self.run.check.kind
        self.places = {each.name: str(place) for place, each in enumerate(self.kind.fields)}
        self.found: set[str] = set()  # fields that some row may have a value for
        self.hashed = {each.name: each.hashed_into or "" for each in self.check.hashed}
        self.json = next((each for each in self.run.files.values() if not each.delimiter), None)

    def of(self, keys: tuple[Any, ...]) -> tuple[str, dict[str, Any], list[Callable[[], object]]]:
        """The text, what its names stand for, and what it counts."""
        kind, check = self.kind, self.check
        columns = [check.column_of(name) for name in kind.field_names]
        if kind.rules or len(set(columns)) < len(columns) or not all(each.names for each in self.run.files.values()):
            raise _NotPlain
        steps = {step.name: step for step in self.run.pick.steps(keys)}
        self.add("def quick(row):", depth=0)
        self.add("s = ''")
        for declared, column in zip(kind.fields, columns, strict=True):
            if column in steps:
                self.read(declared, column, steps[column])
        if self.run.word and kind.status:
            self.tell_word(steps.get(check.column_of(kind.status)))
        for source, target in self.hashed.items():
            self.put_together(source, target)
        for declared in check.defaults:
            self.fill(declared)
        self.look_at_whole()
        self.give()
        return "\n".join(self.lines) + "\n", self.names, self.counted

    def add(self, *lines: str, depth: int = 1) -> None:
        self.lines += ["    " * depth + line for line in lines]

    def bind(self, name: str, value: object) -> str:
        """A name for a value: the wanted one, with a number where it is taken."""
        wanted, number = name, 1
        while name in self.names and self.names[name] is not value:
            number += 1
            name = f"{wanted}_{number}"
        self.names[name] = value
        return name

    def counts(self, counter: Counter[str], name: str, by: str) -> None:
        """Count something of each row that goes through."""
        counts = [0]

        def add() -> None:
            if counts[0]:
                counter[name] += counts[0]
                counts[0] = 0

        self.counted.append(add)
        self.ends.append(f"{self.bind('counts', counts)}[0] += {by}")

    # One field.

    def read(self, declared: Field, column: str, step: Step) -> None:
        """The value of a field, in the forms that need no converter, else by what the checker makes of it."""
        if declared.rows is not None:
            raise _NotPlain
        place, pick = self.places[declared.name], self.run.pick
        is_version = declared.name == self.kind.version
        self.add(f"# {declared.name}")
        if step.plain and isinstance(step.places[0].key, str):
            self.add(f"v = row[{step.places[0].key!r}]")
        else:
            self.add(f"v = {self.bind(f'read_{place}', partial(pick.read, step=step))}(row)")
        look = _look(self.check, declared, column, step, self.hashed.get(declared.name), self.json)
        known = self.bind(f"known_{place}", _Known(look))
        seen = f"{known}[v] if type(v) is str else {self.bind(f'look_{place}', look)}(v)"
        if declared.sent or not is_version:
            forms = self.forms_of(declared)
            self.branches(
                [(form.when, self.values(declared, form)) for form in forms],
                f"t{place} = c{place} = j{place} = ''; n{place} = 0",
                seen,
                f"t{place}, c{place}, j{place}, n{place}, _ = k",
            )
            self.found.add(declared.name)
            if declared.droppable or (declared.many and declared.type.by_hand):
                self.counts(self.check.values, column, f"n{place}")
        if declared.name == self.kind.status:
            self.add("w = v")
        if is_version:
            self.branches(
                [(form.when, [f"s = {form.text}"]) for form in _VERSION(self.check.options, self.bind)],
                "s = ''",
                seen,
                "s = k[4]",
            )

    def branches(self, cases: list[tuple[str, list[str]]], nothing: str, seen: str, of_seen: str) -> None:
        for number, (when, then) in enumerate([*cases, ("v is None", [nothing])]):
            self.add(f"{'elif' if number else 'if'} {when}:")
            self.add(*then, depth=2)
        self.add("else:")
        self.add(f"k = {seen}", "if k is None:", "    return None", of_seen, depth=2)

    def forms_of(self, declared: Field) -> list[Form]:
        """The forms a field's values may have, words for nothing left out of them."""
        kind_of, options = declared.type, self.check.options
        if (declared.many and not kind_of.wide) or (declared.hashed_into and options.refuse_clear):
            return []
        if kind_of.label not in self.forms:
            words = options.reading.null_values
            nulls = frozenset(words if kind_of.free else map(str.casefold, words))
            found = []
            for form in kind_of.inline(options, self.bind):
                takes = eval(f"lambda v: {form.when}", self.names)  # noqa: S307 - as above
                if any(takes(spelt) for word in words for spelt in (word, word.casefold(), word.upper())):
                    word = "v" if kind_of.free else "v.casefold()"
                    is_other = f"(len(v) > {max(map(len, words))} or {word} not in {self.bind('nulls', nulls)})"
                    form = Form(f"{form.when} and {is_other}", form.text, form.is_number)
                found.append(form)
            self.forms[kind_of.label] = found
        limit, forms = declared.most, self.forms[kind_of.label]
        if not limit or declared.many:
            return forms
        whole = [form for form in forms if form.is_number and limit >= LEAST_LIMIT]
        texts = [form for form in forms if not form.is_number]
        return [*whole, *(Form(f"{form.when} and len({form.text}) <= {limit}", form.text) for form in texts)]

    def values(self, declared: Field, form: Form) -> list[str]:
        place, target = self.places[declared.name], self.hashed.get(declared.name)
        text = form.text
        if target:
            text = f"{self.bind('sum_of', sum_of)}(({text}).encode()).hexdigest()"
        quote = "" if form.is_number else '"'
        before, after = ("[", "]") if declared.many else ("", "")
        name = msgspec.json.encode(target or declared.name).decode().replace("{", "{{").replace("}", "}}")
        member = f"{name}:{before}{quote}{{t{place}}}{quote}{after},"
        return [f"t{place} = {text}", f"c{place} = j{place} = f{member!r}", f"n{place} = 1"]

    # The row.

    def tell_word(self, step: Step | None) -> None:
        """Tell the status as the source has it."""
        told: Callable[[Any, int], None] = self.run.word or (lambda _word, _rows: None)
        if step is None:
            self.ends.append(f"{self.bind('told', told)}(None, 1)")
        else:
            words: defaultdict[str, int] = defaultdict(int)
            as_meant = partial(meant, is_null=step.is_null, dated=step.dated)

            def add() -> None:
                for word, rows in words.items():
                    told(as_meant(word), rows)
                words.clear()

            self.counted.append(add)
            self.ends += ["if type(w) is str:", f"    {self.bind('words', words)}[w] += 1"]
            self.ends += ["else:", f"    {self.bind('told', lambda word: told(as_meant(word), 1))}(w)"]

    def put_together(self, source: str, target: str) -> None:
        """The sums of a field in place of its values; a row that has sums already is left to the checker."""
        if source not in self.found:
            return
        mine, other = self.places[source], self.places[target]
        if target in self.found:
            self.add(f"if c{mine}:", f"    if c{other}:", "        return None")
            self.add(*(f"    {each}{other} = {each}{mine}" for each in "tcj"))
        else:
            self.add(*(f"{each}{other} = {each}{mine}" for each in "tcj"))
        self.found.discard(source)
        self.found.add(target)

    def fill(self, declared: Field) -> None:
        """The default of a field."""
        seen = _seen(declared, declared.name, declared.default, self.json, 0, "")
        if seen is None or declared.name in self.hashed:
            raise _NotPlain
        place = self.places[declared.name]
        default = self.bind(f"default_{place}", seen[:3])
        values = f"t{place}, c{place}, j{place} = {default}"
        if declared.name in self.found:
            self.add(f"d{place} = not c{place}", f"if d{place}:", f"    {values}")
        else:
            self.add(f"d{place} = True", values)
        self.found.add(declared.name)
        if declared.default_told:
            self.counts(self.run.notes, f"default_{declared.name}", f"d{place}")

    def look_at_whole(self) -> None:
        """What must be filled, and what must lie in time."""
        kind, bounds = self.kind, self.bounds
        needed = [each.name for each in self.check.needed]
        missing = [f"not {self.filled(name)}" for name in needed]
        if kind.identifiers:
            missing.append(f"not ({' or '.join(map(self.filled, kind.identifiers))})")
        if not missing:
            raise _NotPlain
        self.add(f"if {' or '.join(missing)}:", "    return None")
        if kind.created in self.found and bounds.created:
            place = self.places[kind.created]
            least, greatest = bounds.created
            value = f"int(t{place})" if isinstance(least, float) else f"t{place}"
            self.add(f"if c{place} and not {least!r} <= {value} <= {greatest!r}:", "    return None")
        if kind.not_future:
            self.add(f"if int(t{self.places[kind.not_future]}) > {bounds.now!r}:", "    return None")

    def filled(self, name: str) -> str:
        return f"c{self.places[name]}" if name in self.found else "''"

    def text(self, name: str) -> str:
        return f"t{self.places[name]}" if name in self.found else "''"

    def give(self) -> None:
        """What the spool takes."""
        kind = self.kind
        single = kind.key[0] if len(kind.key) == 1 else ""
        if single:
            key = f"{self.text(single)} or None"
        else:
            key = "f'" + "\\x1f".join(f"{{{self.text(name)}}}" if name in self.found else "" for name in kind.key) + "'"
        unsent = [each.name for each in kind.fields if not each.sent and each.name != kind.version]
        mark = "\\x1f".join(f"{{{self.text(name)}}}" if name in self.found else "" for name in unsent)
        sent = [each.name for each in kind.sent_fields]
        order = msgspec.json.decode(meaning(dict.fromkeys(sent, 1), sent))
        sums = self.bind("blake2b", partial(blake2b, digest_size=16))
        self.add(f"content = {sums}({self.members('c', list(order))}).digest()")
        self.files()
        self.add("note = None")
        if self.bounds.amounts:
            currency = next((each.name for each in kind.fields if each.type in types.CURRENCIES), "")
            amounts = ", ".join(f"({name!r}, {self.text(name)})" for name in self.bounds.amounts if name in self.found)
            told = f"(0, {self.text(kind.label)} or None, {{}}, {self.text(currency) if currency else repr('')}, "
            told += f"{{name: each for name, each in ({amounts}{',' if amounts else ''}) if each}})"
            self.lines[-1] = f"    note = {self.bind('encode', msgspec.json.encode)}({told})"
        self.add(*self.ends)
        owner = f"{self.text(kind.owner)} or None" if kind.owner in self.found else "None"
        self.add(f"return {key}, s, line, f'{mark}', file, {owner}, content, note")

    def files(self) -> None:
        """The row's file and its line there."""
        files = self.run.files
        if len(files) == 1:
            ((name, form),) = files.items()
            self.add(f"file = {name!r}", *self.line(form))
            return
        for number, (name, form) in enumerate(files.items()):
            self.add(f"{'elif' if number else 'if'} {self.filled(name)}:")
            self.add(f"file = {name!r}", *self.line(form), depth=2)
        self.add("else:", "    return None")

    def line(self, form: FileFormat) -> list[str]:
        if not form.delimiter:
            as_json = {each.name for each in self.kind.fields if each.type.as_json}
            letters = {name: "j" if name in as_json else "c" for name in form.names}
            return [f"line = {self.members(letters, form.names)}"]
        if len(form.names) < 2:
            raise _NotPlain
        between = form.delimiter
        cells = [self.text(name) for name in form.names]
        joined = between.join(f"{{{each}}}" if each != "''" else "" for each in cells)
        write = self.bind(f"write_{len(form.names)}", line_writer(between))
        return [
            f"line = f{joined!r}",
            f"if '\"' in line or line.count({between!r}) != {len(cells) - 1}:",
            f"    line = {write}(({', '.join(cells)}))",
            "else:",
            "    line = f'{line}\\n'.encode()",
        ]

    def members(self, letters: str | Mapping[str, str], names: Sequence[str]) -> str:
        """An object of the fields that are filled, as an expression of bytes."""
        of = letters if isinstance(letters, Mapping) else dict.fromkeys(names, letters)
        inside = "".join(f"{{{of[name]}{self.places[name]}}}" for name in names if name in self.found)
        return f"(f'{{{{{inside}'[:-1] + '}}').encode()"


def _look(
    check: RowChecker, declared: Field, column: str, step: Step, target: str | None, json: FileFormat | None
) -> Callable[[Any], Seen | None]:
    """What one value comes to by the checker; ``None`` where the row must be looked at as a whole."""

    def look(value: Any) -> Seen | None:
        known = meant(value, step.is_null, dated=step.dated)
        if known is None or is_missing(known):
            return None if isinstance(value, str) and value.lstrip()[:1] == "#" else _NOTHING
        if declared.type.adds and isinstance(known, str):
            return None  # its word for a currency is compared with the row's
        before = check.values[column]
        found = check.convert({column: known})
        count = check.values[column] - before
        if count:
            check.values[column] = before
        if found.faults or found.dropped or found.notes:
            return None
        if not declared.sent and declared.name == check.kind.version:
            return "", "", "", 0, found.version
        item = found.values[declared.name]
        if target:
            item = list(dict.fromkeys(map(hash_of, item)))
        return _seen(declared, target or declared.name, item, json, count, found.version)

    return look


def _seen(declared: Field, name: str, item: Any, json: FileFormat | None, count: int, version: str) -> Seen | None:
    """What a converted value comes to; ``None`` for one that is not plain."""
    text = cell(item)
    if not text or not text.isprintable():
        return None
    if declared.most and (item if isinstance(item, Decimal) else len(item)) > declared.most:
        return None
    member = json.encode({name: item})[1:-1].decode() if json and name in json.names else ""
    return text, meaning({name: item}, (name,))[1:-1].decode() + ",", f"{member},", count, version
