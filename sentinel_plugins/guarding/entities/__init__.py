"""What is looked for: a file per noun, a table where nouns are alike.

Entities hold no state: every guard and every generation shares those of a process.
"""

from __future__ import annotations

from functools import lru_cache

from sentinel_plugins.guarding.entities.connection_properties import connection_properties
from sentinel_plugins.guarding.entities.connection_string import connection_string
from sentinel_plugins.guarding.entities.credit_card import CreditCard
from sentinel_plugins.guarding.entities.date_of_birth import date_of_birth
from sentinel_plugins.guarding.entities.email import email_address
from sentinel_plugins.guarding.entities.iban import IbanCode
from sentinel_plugins.guarding.entities.ip_address import ip_v4_address, ip_v6_address
from sentinel_plugins.guarding.entities.json_web_token import JsonWebToken
from sentinel_plugins.guarding.entities.labelled_token import labelled_token
from sentinel_plugins.guarding.entities.marked_key import marked_keys
from sentinel_plugins.guarding.entities.national_ids import de_tax_id, es_nif, fr_insee, it_fiscal_code, uk_nhs
from sentinel_plugins.guarding.entities.phone import REGIONS as REGIONS
from sentinel_plugins.guarding.entities.phone import PhoneNumber
from sentinel_plugins.guarding.entities.private_key import PrivateKey
from sentinel_plugins.guarding.entities.ssn import us_ssn
from sentinel_plugins.guarding.entities.vendor_key import vendor_keys
from sentinel_plugins.guarding.entity import Entity

_NATIONAL = {"US": us_ssn, "GB": uk_nhs, "ES": es_nif, "IT": it_fiscal_code, "DE": de_tax_id, "FR": fr_insee}


@lru_cache
def structured_pii(regions: tuple[str, ...] = REGIONS) -> tuple[Entity, ...]:
    """What belongs to people and has a form of its own. National numbers are those of the regions (ISO 3166)."""
    national = tuple(make() for region, make in _NATIONAL.items() if region in regions)
    worldwide = (email_address(), CreditCard(), ip_v4_address(), ip_v6_address(), IbanCode())
    return (*worldwide, *date_of_birth(), PhoneNumber(regions), *national)


@lru_cache
def secrets() -> tuple[Entity, ...]:
    """What opens doors."""
    connections = (connection_string(), *connection_properties())
    return (*vendor_keys(), *marked_keys(), JsonWebToken(), PrivateKey(), *connections, *labelled_token())
