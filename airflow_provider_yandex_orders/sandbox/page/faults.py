# SPDX-License-Identifier: Apache-2.0
"""Faults that a click switches on, those in force, and the settings that act like faults."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from airflow_provider_yandex_orders.sandbox.faults import Fault, FaultSpec
from airflow_provider_yandex_orders.sandbox.page.html import Html, items, join, pill
from airflow_provider_yandex_orders.sandbox.service import Sandbox

_UPLOADS: Final = r"/data/(simple_orders|orders|contacts)|offline_conversions/upload$"
_METRICA: Final = r"^/(management|cdp|stat)/"
_MARKET: Final = r"/stats/orders$"
_IMPORTS: Final = r"/market/orders/import$"
_LOST: Final[Mapping[str, Any]] = {"action": "drop", "moment": "after"}
_CUT: Final[Mapping[str, Any]] = {"action": "truncate", "moment": "after"}


def _says(preset: str) -> Mapping[str, Any]:
    return {"preset": preset}


class Choice(NamedTuple):
    """One button."""

    label: str
    teaches: str
    """What to watch for."""
    path: str
    spec: Mapping[str, Any]


_SERVICES: Final[Mapping[str, Mapping[str, Choice]]] = {
    "Metrica": {
        "metrica-503": Choice("Uploads get 503", "Asked again, then tried again.", _UPLOADS, _says("backend_error")),
        "metrica-lost": Choice("An upload is taken, its answer lost", "Did it arrive? Nobody says.", _UPLOADS, _LOST),
        "metrica-quota": Choice(
            "The day's quota is used up", "The task waits for its time.", _METRICA, _says("quota_requests_by_uid")
        ),
        "metrica-token": Choice("The token is refused", "Fails at once.", _METRICA, _says("invalid_token")),
        "metrica-login": Choice("A proxy's page comes instead", "200, and no success.", _METRICA, _says("html_ok")),
    },
    "Market": {
        "market-503": Choice("Pages get 503", "The page is asked for again.", _MARKET, _says("market_unavailable")),
        "market-cut": Choice("A page breaks off in the middle", "No end of the list.", _MARKET, _CUT),
        "market-quota": Choice(
            "The hour's quota is used up", "The fetch goes on later, where it was.", _MARKET, _says("market_quota")
        ),
        "market-scope": Choice("The key may not read orders", "Fails at once.", _MARKET, _says("market_no_scope")),
    },
    "Altcraft": {
        "altcraft-503": Choice("Imports get 503", "The batch is sent again.", _IMPORTS, _says("altcraft_unavailable")),
        "altcraft-lost": Choice("A batch is taken, its answer lost", "No trigger may start twice.", _IMPORTS, _LOST),
        "altcraft-token": Choice("The token may not import", "Fails at once.", _IMPORTS, _says("altcraft_refused")),
    },
}
_CHOICES: Final = {key: choice for choices in _SERVICES.values() for key, choice in choices.items()}
_TIMES: Final = {"1": "the next one", "3": "the next three", "10": "the next ten", "all": "all, until switched off"}
_SWITCHES: Final = {
    "uploads_fail_later": ("Uploads are taken and fail later", "The answer is good; the list says FAILED."),
    "uploads_never_listed": ("Uploads are taken and never listed", "The wait must end some time."),
}


def choices() -> Html:
    """The buttons, a form for each service."""
    times = Html("".join(f'<option value="{value}">{words}</option>' for value, words in _TIMES.items()))
    return join(
        *(
            _form(
                Html(f"<fieldset><legend>{service}</legend>"),
                Html(f'<label>Requests it meets <select name="times">{times}</select></label><ul class="buttons">'),
                *(
                    join(Html("<li>"), _described(f'name="fault" value="{key}"', key, one.label, one.teaches))
                    for key, one in found.items()
                ),
                Html("</ul></fieldset>"),
            )
            for service, found in _SERVICES.items()
        )
    )


def show(sandbox: Sandbox) -> Html:
    """The faults in force."""
    return items("faults", map(_in_force, sandbox.faults.all())) if sandbox.faults.all() else pill("No fault.", "good")


def _in_force(fault: Fault) -> Html:
    spec = fault.spec
    used_up = spec.times is not None and fault.hits >= spec.times
    of = "until switched off" if spec.times is None else f"of {spec.times}"
    attributes = f'id="forget-{fault.id}" class="small" name="forget" value="{fault.id}"'
    return join(
        pill(f"Fault {fault.id}", "plain" if used_up else "warn"),
        f" {_words(spec)}: met {fault.hits:,} {of}{', used up' if used_up else ''} ",
        _form(_button(attributes, f"{'Remove' if used_up else 'Switch off'} fault {fault.id}")),
    )


def _words(spec: FaultSpec) -> str:
    """A fault in the words of its button, or in those of the control API."""
    for service, found in _SERVICES.items():
        for one in found.values():
            if one.path == spec.path and one.spec.items() <= spec.model_dump().items():
                return f"{service}: {one.label}"
    does = {
        "answer": f"answered with {spec.preset or spec.status or 'an error'}",
        "delay": f"held up for {spec.seconds:g} s",
        "drop": "connection cut",
        "truncate": "answer cut in the middle",
    }[spec.action]
    late = ", after it took effect" if spec.moment == "after" else ""
    return f"calls of {spec.path or 'any path'}: {does}{late}"


def switches(sandbox: Sandbox) -> Html:
    """Settings that act like faults."""
    settings = sandbox.settings
    return join(
        *(_toggle(name, *words, on=getattr(settings, name)) for name, words in _SWITCHES.items()),
        _form(
            Html('<input type="hidden" name="setting" value="processing_seconds"><label>Seconds of processing '),
            Html('<input id="processing" name="value" type="number" min="0" max="7200" step="any" required'),
            Html(f' value="{settings.processing_seconds:g}"></label> '),
            _button('id="process"', "Set the seconds"),
        ),
    )


def _toggle(name: str, label: str, teaches: str, *, on: bool) -> Html:
    attributes = f'id="set-{name}" name="value" value="{int(not on)}" role="switch" aria-checked="{str(on).lower()}"'
    hidden = Html(f'<input type="hidden" name="setting" value="{name}">')
    return _form(hidden, _described(attributes, f"about-{name}", label, teaches))


def _form(*inside: object) -> Html:
    return join(Html('<form method="post" action="/_sandbox/page">'), *inside, Html("</form>"))


def _button(attributes: str, label: str) -> Html:
    return join(Html(f"<button {attributes}>"), label, Html("</button>"))


def _described(attributes: str, name: str, label: str, teaches: str) -> Html:
    """A button and the line that says more about it."""
    about = join(Html(f'<span class="soft" id="{name}">'), teaches, Html("</span>"))
    return join(_button(f'{attributes} aria-describedby="{name}"', label), about)


def press(sandbox: Sandbox, pressed: Mapping[str, str]) -> str:
    """Do what a button says.

    :return: the part of the page that shows it.
    """
    if "fault" in pressed:
        choice, times = _CHOICES[pressed["fault"]], pressed["times"]
        asked = {"times": None if times == "all" else int(times), "path": choice.path}
        sandbox.faults.add(FaultSpec.model_validate({**asked, **choice.spec}))
    elif "forget" in pressed:
        sandbox.faults.remove(int(pressed["forget"]))
    elif "setting" in pressed:
        name, value = pressed["setting"], float(pressed["value"])
        if name not in {"processing_seconds", *_SWITCHES}:
            raise ValueError("no such setting")
        sandbox.change({name: bool(value) if name in _SWITCHES else value})
    elif "afresh" in pressed:
        sandbox.reset()
        return "top"
    else:
        raise ValueError("no such button")
    return "faults"
