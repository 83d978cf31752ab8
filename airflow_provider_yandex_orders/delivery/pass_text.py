# SPDX-License-Identifier: Apache-2.0
"""The source text of a quick pass over rows, made of the declaration of their kind and of what a run asks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from airflow_provider_yandex_orders.delivery.seen import Known, asker, seen_as
from airflow_provider_yandex_orders.journal.records import EntryOf
from airflow_provider_yandex_orders.rows.cells import meant
from airflow_provider_yandex_orders.rows.check import RowChecker
from airflow_provider_yandex_orders.rows.formats import FileFormat, line_writer, meaning
from airflow_provider_yandex_orders.rows.forms import LEAST_LIMIT, Form, Forms, moment
from airflow_provider_yandex_orders.rows.identifiers import sum_of
from airflow_provider_yandex_orders.rows.kind import Field
from airflow_provider_yandex_orders.sources.columns import Picker, Step

_VERSION = moment("sortable")
_LONGEST = 100_000
"""Longer lines are not plain: several are held at once."""


class NotPlain(Exception):
    """Something needs the full checkers in every row."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a plainly good row lies, and what is noted of it.

    :param created: gives the least and the greatest of the field the linking window counts from; ``None`` for any.
    :param age: tells by that field how old a row beyond them is; ``None`` where all of such a row must be noted.
    :param now: seconds since 1970, which no moment that must have passed is after.
    """

    created: Callable[[], tuple[Any, Any] | None]
    age: Callable[[Any], int] | None
    now: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a pass is made for.

    :param check: judges the rows it leaves.
    :param pick: finds the fields' values.
    :param files: names of the upload's files and how each is written.
    :param bounds: what rows lie between.
    :param notes: counts rows by what is noted of them.
    :param word: told each status that rows have in the source, and how many have it, where that is asked for.
    :param entry_of: makes the journal's entries, where there is a journal.
    """

    check: RowChecker
    pick: Picker
    files: Mapping[str, FileFormat]
    bounds: Bounds
    notes: Counter[str]
    word: Callable[[Any, int], None] | None
    entry_of: EntryOf | None


@dataclass
class PassText:
    """Writes one pass. ``t3``, ``c3``, ``j3`` and ``n3`` are the parts of what the field at place 3 comes to, as far as
    they are asked for.

    :param run: what it is made for.
    """

    run: Run
    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    forms: dict[str, list[Form]] = field(default_factory=dict)
    counted: list[Callable[[], object]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.check, self.kind = self.run.check, self.run.check.kind
        self.places = {each.name: str(place) for place, each in enumerate(self.kind.fields)}
        self.found: set[str] = set()  # fields that some row may have a value for
        self.hashed = {each.name: each.hashed_into or "" for each in self.check.hashed}
        self.json = next((each for each in self.run.files.values() if not each.delimiter), None)
        self.members = ("c" if self.run.entry_of else "") + ("j" if self.json else "")
        self.letters = f"t{self.members}"

    def of(self, keys: tuple[Any, ...]) -> tuple[str, dict[str, Any], list[Callable[[], object]]]:
        """The text, what its names stand for, and what it counts."""
        kind, check = self.kind, self.check
        columns = [check.column_of(name) for name in kind.field_names]
        if kind.rules or len(set(columns)) < len(columns) or not all(each.names for each in self.run.files.values()):
            raise NotPlain
        steps = {step.name: step for step in self.run.pick.steps(keys)}
        self._bind("keys", keys)
        cells = {key: f"row[{place}]" for place, key in enumerate(keys)}
        for declared, column in zip(kind.fields, columns, strict=True):
            if column in steps:
                step = steps[column]
                self._read(declared, column, step, cells[step.places[0].key] if step.plain else "")
        if self.run.word and kind.status:
            self._tell_word(steps.get(check.column_of(kind.status)))
        for declared in check.defaults:
            self._fill(declared)
        for source, target in self.hashed.items():
            self._put_together(source, target)
        self._look_at_whole()
        self._give()
        begin = ["def quick(rows, number, found, leave):", "    s = ''", *(f"    {name} = 0" for name in self.sums)]
        begin += ["    for row in rows:", "        number += 1"]
        end = [f"    {each}[0] += {name}" for name, each in self.sums.items()]
        text = "\n".join([*begin, *self.lines, *end, "    return number\n"])
        return text, self.names, self.counted

    def _add(self, *lines: str, depth: int = 0) -> None:
        self.lines += ["    " * (depth + 2) + line for line in lines]

    def _leave(self, when: str = "", depth: int = 0) -> None:
        """Leave the row to the checkers."""
        if when:
            self._add(f"if {when}:", depth=depth)
        self._add("leave(number, dict(zip(keys, row)))", "continue", depth=depth + bool(when))

    def _bind(self, name: str, value: object) -> str:
        """A name for a value: the wanted one, with a number where it is taken."""
        wanted, number = name, 1
        while name in self.names and self.names[name] is not value:
            number += 1
            name = f"{wanted}_{number}"
        self.names[name] = value
        return name

    def _counts(self, counter: Counter[str], name: str, by: str) -> None:
        """Count something of each row that goes through."""
        counts = [0]

        def add() -> None:
            if counts[0]:
                counter[name] += counts[0]
                counts[0] = 0

        self.counted.append(add)
        mine = f"m{len(self.sums)}"
        self.sums[mine] = self._bind("counts", counts)
        self.ends.append(f"{mine} += {by}")

    # One field.

    def _read(self, declared: Field, column: str, step: Step, cell: str) -> None:
        """The value of a field, in the forms that need no converter, else by what the checker makes of it.

        :param cell: where it stands; empty where it must be looked for.
        """
        if declared.rows is not None:
            raise NotPlain
        place = self.places[declared.name]
        is_version = declared.name == self.kind.version
        self._add(f"# {declared.name!r}{'' if column == declared.name else f' from {column!r}'}")
        if not cell:
            cell = f"{self._bind(f'read_{place}', partial(self.run.pick.read, step=step))}(dict(zip(keys, row)))"
        self._add(f"v = {cell}")
        look = asker(self.check, declared, column, step, self.hashed.get(declared.name), self.json)
        known = self._bind(f"known_{place}", Known(look))
        seen = f"{known}[v] if type(v) is str else {self._bind(f'look_{place}', look)}(v)"
        if declared.sent or not is_version:
            forms = self._forms_of(declared)
            counted = declared.droppable or (declared.many and declared.type.by_hand)
            one = [f"n{place} = 1"] if counted else []
            self._branches(
                [(form.when, [*self._values(declared, form), *one]) for form in forms],
                [" = ".join([*self._parts(place), "''"]), *([f"n{place} = 0"] if counted else [])],
                seen,
                ", ".join(f"{each}{place}" if each in self.letters + "n" * counted else "_" for each in "tcjn")
                + ", _ = k",
            )
            self.found.add(declared.name)
            if counted:
                self._counts(self.check.values, column, f"n{place}")
        if declared.name == self.kind.status:
            self._add("w = v")
        if is_version:
            self._branches(
                [(form.when, [f"s = {form.text}"]) for form in self._without_nulls(_VERSION, free=False)],
                ["s = ''"],
                seen,
                "s = k[4]",
            )

    def _branches(self, cases: list[tuple[str, list[str]]], nothing: list[str], seen: str, of_seen: str) -> None:
        for number, (when, then) in enumerate([*cases, ("v is None", nothing)]):
            self._add(f"{'elif' if number else 'if'} {when}:")
            self._add(*then, depth=1)
        self._add("else:", f"    k = {seen}")
        self._leave("k is None", depth=1)
        self._add(f"    {of_seen}")

    def _forms_of(self, declared: Field) -> list[Form]:
        """The forms a field's values may have, words for nothing left out of them."""
        kind_of, options = declared.type, self.check.options
        if (declared.many and not kind_of.wide) or (declared.hashed_into and options.refuse_clear):
            return []
        if kind_of.label not in self.forms:
            self.forms[kind_of.label] = self._without_nulls(kind_of.inline, free=kind_of.free)
        limit, forms = declared.most, self.forms[kind_of.label]
        if not limit or declared.many:
            return forms
        whole = [form for form in forms if form.is_number and limit >= LEAST_LIMIT]
        texts = [form for form in forms if not form.is_number]
        return [*whole, *(Form(f"{form.when} and len({form.text}) <= {limit}", form.text) for form in texts)]

    def _without_nulls(self, forms: Forms, *, free: bool) -> list[Form]:
        """Forms that no word for nothing has."""
        words = self.check.options.reading.null_values
        nulls = frozenset(words if free else map(str.casefold, words))
        found = []
        for form in forms(self.check.options, self._bind):
            takes = eval(f"lambda v: {form.when}", self.names)  # noqa: S307 - made of this package's own words
            if any(takes(spelt) for word in words for spelt in (word, word.casefold(), word.upper())):
                word = "v" if free else "v.casefold()"
                is_other = f"len(v) > {max(map(len, nulls))} or {word} not in {self._bind('nulls', nulls)}"
                if not form.when.startswith("type(v) is str"):
                    is_other = f"type(v) is not str or {is_other}"
                form = Form(f"{form.when} and ({is_other})", form.text, form.is_number)
            found.append(form)
        return found

    def _parts(self, place: str, letters: str = "") -> list[str]:
        return [f"{each}{place}" for each in letters or self.letters]

    def _values(self, declared: Field, form: Form) -> list[str]:
        place, target = self.places[declared.name], self.hashed.get(declared.name)
        text = form.text
        if target:
            text = f"{self._bind('sum_of', sum_of)}(({text}).encode()).hexdigest()"
        quote = "" if form.is_number else '"'
        before, after = ("[", "]") if declared.many else ("", "")
        name = msgspec.json.encode(target or declared.name).decode().replace("{", "{{").replace("}", "}}")
        member = f"{name}:{before}{quote}{{t{place}}}{quote}{after},"
        second = [f"{' = '.join(self._parts(place, self.members))} = f{member!r}"] if self.members else []
        return [f"t{place} = {text}", *second]

    # The row.

    def _tell_word(self, step: Step | None) -> None:
        """Tell the status as the source has it."""
        told: Callable[[Any, int], None] = self.run.word or (lambda _word, _rows: None)
        if step is None:
            self.ends.append(f"{self._bind('told', told)}(None, 1)")
        else:
            words: defaultdict[str, int] = defaultdict(int)
            as_meant = partial(meant, is_null=step.is_null, dated=step.dated)

            def add() -> None:
                for word, rows in words.items():
                    told(as_meant(word), rows)
                words.clear()

            self.counted.append(add)
            self.ends += ["if type(w) is str:", f"    {self._bind('words', words)}[w] += 1"]
            self.ends += ["else:", f"    {self._bind('told', lambda word: told(as_meant(word), 1))}(w)"]

    def _put_together(self, source: str, target: str) -> None:
        """The sums of a field in place of its values; a row that has sums already is left to the checker."""
        if source not in self.found:
            return
        mine, other = self.places[source], self.places[target]
        if target in self.found:
            self._add(f"if t{mine}:")
            self._leave(f"t{other}", depth=1)
            self._add(*(f"    {each}{other} = {each}{mine}" for each in self.letters))
        else:
            self._add(*(f"{each}{other} = {each}{mine}" for each in self.letters))
        self.found.discard(source)
        self.found.add(target)

    def _fill(self, declared: Field) -> None:
        """The default of a field."""
        seen = seen_as(declared, declared.name, declared.default, self.json, 0, "")
        if seen is None or declared.name in self.hashed:
            raise NotPlain
        place = self.places[declared.name]
        default = self._bind(f"default_{place}", [seen["tcj".index(each)] for each in self.letters])
        values = f"{', '.join(self._parts(place))}, = {default}"
        if declared.name in self.found:
            self._add(f"d{place} = not t{place}", f"if d{place}:", f"    {values}")
        else:
            self._add(f"d{place} = True", values)
        self.found.add(declared.name)
        if declared.default_told:
            self._counts(self.run.notes, f"default_{declared.name}", f"d{place}")

    def _look_at_whole(self) -> None:
        """What must be filled, and what must lie in time."""
        kind, bounds = self.kind, self.run.bounds
        needed = [each.name for each in self.check.needed]
        missing = [f"not {self._text(name)}" for name in needed]
        if kind.identifiers:
            missing.append(f"not ({' or '.join(map(self._text, kind.identifiers))})")
        if not missing:
            raise NotPlain
        self._leave(" or ".join(missing))
        if kind.created in self.found and (lies := bounds.created()):
            place = self.places[kind.created]
            least, greatest = lies
            value = f"int(t{place})" if isinstance(least, float) else f"t{place}"
            self._add("a = 0", f"if t{place} and not {least!r} <= {value} <= {greatest!r}:")
            if bounds.age is None:
                self._leave(depth=1)
            else:
                self._add(f"    a = {self._bind('age', bounds.age)}({value})")
                self._leave("a < 0", depth=1)
        else:
            self._add("a = 0")
        if kind.not_future:
            self._leave(f"int(t{self.places[kind.not_future]}) > {bounds.now!r}")

    def _text(self, name: str) -> str:
        return f"t{self.places[name]}" if name in self.found else "''"

    def _give(self) -> None:
        """What the spool takes."""
        kind = self.kind
        key = f"{self._text(kind.key[0])} or None" if len(kind.key) == 1 else self._united(kind.key)
        unsent = [each.name for each in kind.fields if not each.sent and each.name != kind.version]
        sent = [each.name for each in kind.sent_fields]
        self._files()
        self._leave(f"len(line) > {_LONGEST}")
        told = f"(a, {self._text(kind.label)} or None, {{}})"
        self._add(f"note = {self._bind('encode', msgspec.json.encode)}({told}) if a else None")
        self._add(*self.ends)
        owner = f"{self._text(kind.owner)} or None" if kind.owner in self.found else "None"
        entry = "None"
        if self.run.entry_of:
            order = msgspec.json.decode(meaning(dict.fromkeys(sent, 1), sent))
            entry = f"{self._bind('entry_of', self.run.entry_of)}(key, {self._members('c', list(order))}, s)"
        self._add(f"key = {key}", f"entry = {entry}")
        self._add(f"found((key, number, s, line, {self._united(unsent)}, file, {owner}, entry, note))")

    def _united(self, names: Sequence[str]) -> str:
        cells = (f"{{{self._text(name)}}}" if name in self.found else "" for name in names)
        return "f'" + "\\x1f".join(cells) + "'"

    def _files(self) -> None:
        """The row's file and its line there."""
        files = self.run.files
        if len(files) == 1:
            ((name, form),) = files.items()
            self._add(f"file = {name!r}", *self._line(form))
            return
        for number, (name, form) in enumerate(files.items()):
            self._add(f"{'elif' if number else 'if'} {self._text(name)}:")
            self._add(f"file = {name!r}", *self._line(form), depth=1)
        self._add("else:")
        self._leave(depth=1)

    def _line(self, form: FileFormat) -> list[str]:
        if not form.delimiter:
            return [f"line = {self._members('j', form.names)}"]
        if len(form.names) < 2:
            raise NotPlain
        between = form.delimiter
        cells = [self._text(name) for name in form.names]
        joined = between.join(f"{{{each}}}" if each != "''" else "" for each in cells)
        write = self._bind(f"write_{len(form.names)}", line_writer(between))
        joined += "\n"
        return [
            f"line = f{joined!r}",
            f"plain = '\"' not in line and line.count({between!r}) == {len(cells) - 1}",
            f"line = line.encode() if plain else {write}(({', '.join(cells)}))",
        ]

    def _members(self, letter: str, names: Sequence[str]) -> str:
        """An object of the fields that are filled, as an expression of bytes."""
        inside = "".join(f"{{{letter}{self.places[name]}}}" for name in names if name in self.found)
        return f"(f'{{{{{inside}'[:-1] + '}}').encode()"
