# SPDX-License-Identifier: Apache-2.0
"""Currency codes."""

from __future__ import annotations

from airflow_provider_yandex_orders.rows.bad_value import BadValue

# ISO 4217 codes in use, funds and metals left out.
_CURRENCIES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG""".split()  # noqa: SIM905 - shorter to read
)
_FORMER = {"RUR": "RUB", "BYR": "BYN", "TL": "TRY"}


def code(value: object) -> str:
    """Any three letters, in capitals: for services that have a list of currencies of their own."""
    letters = str(value).strip().upper()
    if len(letters) == 3 and letters.isascii() and letters.isalpha():
        return letters
    raise BadValue("bad_currency", "is not a currency code", "send the three letters the service has set up")


def currency(value: object) -> str:
    """A currency code of ISO 4217, in capitals."""
    code = str(value).strip().upper()
    if code in _CURRENCIES:
        return code
    if code in _FORMER:
        raise BadValue("old_currency", f"is {code}, which is no longer in use", f"send {_FORMER[code]}")
    raise BadValue("unknown_currency", "is not a currency code of ISO 4217", "send three letters such as RUB")
