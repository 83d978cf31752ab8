# SPDX-License-Identifier: Apache-2.0
"""Tells people of deliveries when something changes."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException, BaseHook, BaseNotifier, context_merge

from airflow_provider_yandex_orders.exceptions import ConfigurationError, PassingError, PermanentError
from airflow_provider_yandex_orders.notifications.words import LANGUAGES, lines_of, say
from airflow_provider_yandex_orders.templated import share
from airflow_provider_yandex_orders.ui.links import page_address

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_yandex_orders.journal.store import Journal

_MOST = 1000
"""Letters of an error that a message quotes."""
_MOST_DELIVERIES = 20
_LONGEST = 4096
"""Letters that Telegram takes in a message."""
_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


Channel = BaseNotifier | Callable[[str], object] | str


class DeliveryNotifier(BaseNotifier):
    """Says in a few lines what went, what did not and why, with a link, when that changes and not at each run.

    For ``on_success_callback`` and ``on_failure_callback`` of a task or a DAG (give it to both: only so a recovery is
    told), for ``on_skipped_callback``, and for deadline alerts. The journal keeps the last state of each task that
    people were told. A text holds no personal data. What goes wrong here is logged and fails no task.

    :param channel: what takes the text: another notifier, in whose templates ``{{ message }}`` is the text; a callable
        that is given it; or a text, as deadline alerts need: the dotted path of either, such as
        ``my_company.alerts.channel``, or the id of a connection of type ``telegram``. A list of such tells all of them;
        a task has one notifier, as what people were told is kept by task.
    :param language: ``en`` (by default) or ``ru``.
    :param max_rejected: warn when more than this share of the rows read, from 0 to 1, is rejected; never by default.
    :param min_linked: warn when less than this share of the orders, from 0 to 1, found a visit, in the callbacks of
        ``MetricaLinkedOrdersOperator``; never by default.
    :param warn_if_empty: warn when a task that sent rows on this day of each of the last four weeks has none; ``True``
        by default.
    :param every_run: ``True`` tells each run, not only changes; ``False`` by default.
    :param journal_conn_id: connection of the journal of deliveries; by default ``[yandex_orders] journal_conn_id`` of
        Airflow's configuration, else a file under ``AIRFLOW_HOME``.
    """

    def __init__(
        self,
        channel: Channel | Sequence[Channel],
        *,
        language: str = "en",
        max_rejected: float | None = None,
        min_linked: float | None = None,
        warn_if_empty: bool = True,
        every_run: bool = False,
        journal_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if language not in LANGUAGES:
            raise ConfigurationError(f"language must be one of {', '.join(LANGUAGES)}.")
        self.channels: list[Any] = [*channel] if isinstance(channel, (list, tuple)) else [channel]
        self.language = language
        self.max_rejected = None if max_rejected is None else share(max_rejected, "max_rejected")
        self.min_linked = None if min_linked is None else share(min_linked, "min_linked")
        self.warn_if_empty = warn_if_empty
        self.every_run = every_run
        self.journal_conn_id = journal_conn_id

    def notify(self, context: Context) -> None:
        """Tell people, if there is something new."""
        try:
            self._tell(context)
        except Exception as error:  # noqa: BLE001 - a message never fails a task
            self.log.warning("No message about the delivery was sent (%s).", type(error).__name__)

    async def async_notify(self, context: Context) -> None:
        """The same, in the triggerer."""
        await asyncio.to_thread(self.notify, context)

    def _tell(self, context: Context) -> None:
        whose = _Whose(context)
        key = (whose.dag_id, whose.task_id, whose.map_index)
        with ExitStack() as opened:
            journal = self._journal(opened)
            deliveries: Sequence[Mapping[str, Any]] = [whose.told] if whose.told else []
            if journal and not deliveries:
                deliveries = journal.results(
                    whose.dag_id, whose.run_id, whose.task_id, whose.map_index if whose.task_id else None
                )
            state, reasons = self._state(context, whose, journal, deliveries)
            before = journal.notice(*key, state) if journal else "good"
            if before == state and not self.every_run:
                return
            recovered = state == "good" and before not in ("", "good")
            lines = [
                f"{self._say('again' if recovered else state.split()[0])}: {whose.dag_id}",
                f"{self._say('task')} {whose.task_id}" if whose.task_id else "",
                f"{self._say('run')} {whose.run_id}",
                *(line for each in deliveries[:_MOST_DELIVERIES] for line in lines_of(each, self.language)),
                "..." if len(deliveries) > _MOST_DELIVERIES else "",
                *reasons,
            ]
            text, room = "\n".join(filter(None, lines)), _LONGEST - len(whose.link) - 1
            text = f"{text if len(text) <= room else f'{text[: room - 3]}...'}\n{whose.link}".rstrip()
            sent = [self._reaches(channel, text, context) for channel in self.channels]
            if journal and not any(sent):
                journal.notice(*key, before)  # the next run tells it

    def _journal(self, opened: ExitStack) -> Journal | None:
        """The journal; without it every failure is told, as nobody knows what people were told."""
        from airflow_provider_yandex_orders.journal.store import open_journal

        try:
            return opened.enter_context(open_journal(self.journal_conn_id))
        except (PermanentError, PassingError) as error:
            self.log.warning("What people were told before is not known: %s", error)
            return None

    def _state(
        self,
        context: Mapping[str, Any],
        whose: _Whose,
        journal: Journal | None,
        deliveries: Sequence[Mapping[str, Any]],
    ) -> tuple[str, list[str]]:
        """The state, whose first word is the headline, and why it is that."""
        error, reason, deadline = (context.get(name) for name in ("exception", "reason", "deadline"))
        if deadline:
            moment = str(deadline.get("deadline_time", ""))[:19]
            return f"late {whose.run_id}", [self._say("deadline", moment=moment)]
        if isinstance(error, BaseException) and not isinstance(error, AirflowSkipException):
            ours = isinstance(error, (PermanentError, PassingError))
            return f"failed {type(error).__name__}", [
                str(error)[:_MOST] if ours else self._say("log", error=type(error).__name__)
            ]
        # Of a task whose worker died there is no error, or its text alone, and perhaps no state.
        died = whose.task_id and whose.state not in ("success", "skipped", "running")
        if died or (reason and reason != "success"):
            return "failed", [self._say("dag", reason=reason) if reason else self._say("died")]
        warnings = dict(self._warnings(whose, journal, deliveries))
        return " ".join(["warned", *warnings]) if warnings else "good", list(warnings.values())

    def _warnings(
        self, whose: _Whose, journal: Journal | None, deliveries: Sequence[Mapping[str, Any]]
    ) -> Iterator[tuple[str, str]]:
        """What is odd about deliveries that went well."""
        for each in deliveries:
            read, rejected, share = each.get("rows_read"), each.get("rows_rejected"), each.get("share")
            if self.max_rejected is not None and read and rejected and rejected / read > self.max_rejected:
                yield "rejected", self._say("rejected", share=rejected / read, limit=self.max_rejected)
            if self.min_linked is not None and share is not None and share < self.min_linked:
                yield "linked", self._say("linked", share=share, limit=self.min_linked)
        counted = [each for each in deliveries if "rows_sent" in each and "rows_prepared" not in each]
        empty = not any(each["rows_sent"] or each["rows_unchanged"] for each in counted)
        expected = self.warn_if_empty and counted and empty and journal
        if expected and expected.always_sends(whose.dag_id, whose.task_id):
            yield "empty", self._say("empty")

    def _say(self, phrase: str, **values: Any) -> str:
        return say(self.language, phrase, **values)

    def _reaches(self, channel: Channel, text: str, context: Context) -> bool:
        """Send by one channel, and whether that worked; what goes wrong may quote a token and is only named."""
        try:
            self._send(channel, text, context)
        except Exception as error:  # noqa: BLE001 - a channel may raise anything
            self.log.warning("A message about the delivery was not sent (%s).", type(error).__name__)
            return False
        return True

    def _send(self, channel: Any, text: str, context: Context) -> None:
        if isinstance(channel, str) and _PATH.fullmatch(channel):
            module, _, name = channel.rpartition(".")
            channel = getattr(import_module(module), name)
        if isinstance(channel, str):
            hook: Any = BaseHook.get_hook(channel)
            hook.send_message({"text": text, "parse_mode": None})  # a text may have < of its own
        elif isinstance(channel, BaseNotifier):
            once = copy.copy(channel)  # rendering changes it
            context_merge(context, message=text)
            once.render_template_fields(context)
            once.notify(context)
        else:
            channel(text)


class _Whose:
    """Whose delivery a context is about: a task's, or all of a run where a DAG's callback or a deadline tells."""

    def __init__(self, context: Mapping[str, Any]) -> None:
        run: Any = context.get("dag_run")
        of_dag = context.get("reason") is not None or context.get("deadline") is not None
        task = None if of_dag else context.get("ti")
        if isinstance(run, Mapping):  # a deadline's
            self.dag_id, self.run_id = str(run["dag_id"]), str(run["dag_run_id"])
        elif task:
            self.dag_id, self.run_id = str(task.dag_id), str(task.run_id)
        else:  # a DAG's, which may hold nothing more
            self.dag_id, self.run_id = str(context["dag"].dag_id), str(context["run_id"])
        self.task_id = str(getattr(task, "task_id", ""))
        index, state = getattr(task, "map_index", None), getattr(task, "state", None)
        self.map_index = -1 if index is None else int(index)
        self.state = str(getattr(state, "value", state))
        self.told: Mapping[str, Any] | None = getattr(getattr(task, "task", None), "_reported", None)

    @property
    def link(self) -> str:
        """The page of this delivery, or of the DAG's deliveries; empty where its address is not known."""
        task = {"run_id": self.run_id, "task_id": self.task_id, "map_index": self.map_index} if self.task_id else {}
        address = page_address(self.dag_id, **task)
        return address if "://" in address else ""
