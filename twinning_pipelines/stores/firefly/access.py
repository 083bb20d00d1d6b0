"""Whose bookings go to Firefly III with which token: one token for all, or one for each person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twinning_pipelines.stores.firefly.client import Firefly
from twinning_pipelines.stores.firefly.connection import plain_token, plain_url


@dataclass(frozen=True, slots=True)
class FireflyAccess:
    """A server and the tokens for it; neither its text nor an error of it shows one. The person "" is everybody."""

    server: str
    _tokens: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, url: str, tokens: str) -> "FireflyAccess":
        """`tokens`: one token, or `person=token` pairs separated by blanks. Raises ValueError, which quotes neither."""
        words = tokens.split()
        if len(words) == 1 and "=" not in words[0]:
            return cls(plain_url(url), {"": plain_token(words[0])})
        pairs = [word.partition("=") for word in words]
        if not pairs or not all(person and token for person, _, token in pairs):
            raise ValueError("the Firefly III token must be one token, or person=token pairs separated by blanks")
        if len({person for person, _, _ in pairs}) < len(pairs):
            raise ValueError("a person has two Firefly III tokens")
        return cls(plain_url(url), {person: plain_token(token) for person, _, token in pairs})

    def client(self, person: str, **options: Any) -> Firefly:
        """The Firefly III of a person who has a token. The options are those of `Connection`."""
        return Firefly(self.server, self._tokens.get(person) or self._tokens[""], **options)

    def has(self, person: str) -> bool:
        """Whether there is a token for a person."""
        return person in self._tokens or "" in self._tokens
