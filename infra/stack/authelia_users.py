"""Authelia's file of users: the owner, with a digest of the password in the form that Authelia reads."""

from __future__ import annotations

import base64
import hashlib
import os
import re

# Authelia's own default for PBKDF2 with SHA-512.
ITERATIONS = 310_000
SALT_BYTES = 16


def _adapted_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii").rstrip("=").replace("+", ".")


def digest(password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """`$pbkdf2-sha512$ITERATIONS$SALT$KEY`, both in base64 without padding and with `.` for `+`."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    key = hashlib.pbkdf2_hmac("sha512", password.encode("utf-8"), salt, iterations)
    return f"$pbkdf2-sha512${iterations}${_adapted_base64(salt)}${_adapted_base64(key)}"


def users_file(owner: str, email: str, password: str) -> str:
    """The file with its first user. Others are added by hand, each with a digest of `authelia crypto hash generate`."""
    return (
        "# Who may log in. A digest for another user: docker run --rm -it authelia/authelia authelia crypto hash generate\n"
        "---\n"
        "users:\n"
        f"  {owner}:\n"
        "    disabled: false\n"
        f'    displayname: "{owner}"\n'
        f'    password: "{digest(password)}"\n'
        f'    email: "{email}"\n'
        "    groups:\n"
        "      - admins\n"
    )


def with_password(text: str, owner: str, password: str) -> str:
    """The file with another password of one user; all else stays. Raises ValueError if the user is not in it."""
    pattern = re.compile(
        rf'^(  (?:{re.escape(owner)}|"{re.escape(owner)}"):\n(?:    .*\n)*?    password: ).*$', re.MULTILINE
    )
    changed, count = pattern.subn(lambda found: found[1] + f'"{digest(password)}"', text, count=1)
    if count != 1:
        raise ValueError(f"authelia_users.yml has no user {owner} with a password")
    return changed
