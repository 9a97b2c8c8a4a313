"""What must be in no file and on no terminal: which values are secrets, and text without them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

HIDDEN = "[secret]"
SHORTEST = 8  # characters of a secret; `EMPTY` and the like are what servers without a key want
VARIABLE = re.compile(
    r".*(KEY|TOKEN|SECRET|PASSWORD)|AWS_.*(KEY|TOKEN|SECRET|CREDENTIAL).*", re.IGNORECASE
)
# Names of keys whose values are secrets. Not `key` and `token`s of texts, as in eos_token.
_NAME = (
    r"(?:[\w-]*(?:api|access|secret|private|auth)[_-]?key(?:[_-]?id)?"
    r"|(?:(?:[\w-]*(?:api|access|auth|hf|bearer|session|refresh|security))?[_-]?token)"
    r"|[\w-]*(?:secret|password|passwd|credentials?)|(?:proxy-)?authorization)"
)
NAMED = re.compile(_NAME, re.IGNORECASE)
# `name=value`, `{name: value}` and `--name,value` of a command line; null and ${...} are none.
GIVEN = re.compile(
    rf"(?:^|[\s{{\[,.+'\"]|--)({_NAME})['\"]?(?:\s*[:=]\s*|(?<=[a-z])['\"]?[\s,]+(?=[^\s=:]+[\]'\"]))"
    r"['\"]?(?!null\b|none\b|\$\{|['\"]|[\s,}\]]|$)",
    re.IGNORECASE,
)
USER = re.compile(r"(?<=://)(?!git@)([^/\s?#@'\"]+)(?=@)")  # of a URL, and the password
QUERY = re.compile(
    r"([?&;](?:[\w-]*api[_-]?key|key|[\w-]*token|auth|[\w-]*password|[\w-]*secret|sig"
    r"|[\w-]*signature|x-amz-credential|awsaccesskeyid)=)([^&\s'\"#]+)",
    re.IGNORECASE,
)
# As the large services make them, so that they are known wherever they come from.
FORMS = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[\w-]{20,}|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|AKIA[0-9A-Z]{16}|xox[abp]-[\w-]{10,})|(?<=Bearer )[\w.~+/=-]{8,}"
)

_remembered: set[str] = set()  # of this process's configuration


def redacted(value: Any) -> Any:
    """A text, or plain values, with `HIDDEN` in the place of every secret.

    Those are what variables of the environment hold whose names say so, what a configuration has
    under such names (see `remember`), what stands in URLs, and keys of a well-known form.
    """
    return _redacted(value, _pattern(_known()))


def remember(config: Any) -> None:
    """Take what a configuration has under names of secrets, and in URLs, for secrets from now on.

    A variable that its `generator.key_env` names holds one too, whatever it is called.
    """
    _remembered.update(each for each in _held(config) if len(each) >= SHORTEST)


def found_in(text: str) -> str | None:
    """What secret there is in a text, in words that don't say it; None where there is none."""
    for name, value in _of_environment().items():
        if any(form in text for form in _forms(value)):
            return f"the value of the environment variable {name}"
    if USER.search(text):
        return "a user or a password in a URL"
    if query := QUERY.search(text):
        return f"a secret in a URL ({query[1].strip('?&;=')}=)"
    if FORMS.search(text):
        return "what looks like the key of a service"
    if named := GIVEN.search(text):
        return f"a secret ({named[1]})"
    return None


def _redacted(value: Any, known: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        text = known.sub(HIDDEN, value) if known else value
        text = QUERY.sub(rf"\1{HIDDEN}", USER.sub(HIDDEN, text))
        return FORMS.sub(HIDDEN, text)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _is_secret(key, each) else _redacted(each, known)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(each, known) for each in value]
    return value


def _is_secret(key: Any, value: Any) -> bool:
    name = str(key).rpartition(".")[2]
    is_text = isinstance(value, str) and value != "" and not value.startswith("${")
    return is_text and NAMED.fullmatch(name) is not None


def _held(values: Any, key: Any = "") -> Iterator[str]:
    if isinstance(values, Mapping):
        for name, each in values.items():
            yield from _held(each, name)
    elif isinstance(values, list | tuple):
        for each in values:
            yield from _held(each, key)
    elif isinstance(values, str):
        if key == "key_env":
            yield os.environ.get(values, "").strip()
        elif _is_secret(key, values):
            yield values
        for user in USER.findall(values):
            password = user.partition(":")[2] or user
            yield from (password, unquote(password))
        yield from (secret for _, secret in QUERY.findall(values))


def _of_environment() -> dict[str, str]:
    found = {name: value.strip() for name, value in os.environ.items() if VARIABLE.fullmatch(name)}
    return {
        name: value
        for name, value in found.items()
        if len(value) >= SHORTEST and not os.path.exists(value)  # the file of a key
    }


def _known() -> set[str]:
    return {*_of_environment().values(), *_remembered}


def _forms(secret: str) -> set[str]:
    """As it is, in JSON, in a `repr` and in a URL."""
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe="")}


def _pattern(secrets: set[str]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret)}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if forms else None
