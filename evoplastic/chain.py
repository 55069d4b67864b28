"""A running digest through the lines of a file: what was changed, lost or moved is found.

    chain_k = SHA-256(chain_{k-1}, line_k), 16 hexadecimal digits, at the end of line k

It tells damage, not malice: who can write the file can write the digests too. Lines of earlier
versions have none; the first that has one covers all before it.
"""

from __future__ import annotations

import hashlib
import re

from evoplastic.checks import require

SEAL = re.compile(rb',"chain":"([0-9a-f]{16})"\}$')


class Chain:
    """The digest of the lines so far."""

    def __init__(self) -> None:
        self._digest = ""
        self._sealed = False

    def seal(self, line: bytes) -> bytes:
        """A line, a JSON object without line feed, with its digest; the chain stays as it is.

        >>> Chain().seal(b'{"a":1}')
        b'{"a":1,"chain":"7395dc66860499cb"}'
        """
        return line[:-1] + f',"chain":"{self._after(line)}"}}'.encode()

    def follow(self, line: bytes, where: str) -> None:
        """Go on by one line of a file.

        Raises:
            UsageError: it is not the line that followed here when it was written.
        """
        found = SEAL.search(line)
        body = line if found is None else line[: found.start()] + b"}"
        digest = self._after(body)
        sound = not self._sealed if found is None else found[1].decode() == digest
        require(
            sound,
            f"{where} does not follow on the lines before it: it was changed, or lines are missing "
            "or out of place; restore the file from a copy",
        )
        self._digest, self._sealed = digest, self._sealed or found is not None

    def _after(self, line: bytes) -> str:
        return hashlib.sha256(self._digest.encode() + b"\n" + line).hexdigest()[:16]
