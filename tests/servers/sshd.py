"""OpenSSH: a private sshd on a high port, with its own host key and one key that may log in."""

from __future__ import annotations

import getpass
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .need import need, need_module, need_program
from .process import free_ports, listens, running

INSTALL = "apt-get install openssh-server"
SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server")


@dataclass(frozen=True)
class SftpServer:
    """A folder on loopback."""

    port: int
    key_file: str
    folder: str

    @property
    def storage_options(self) -> dict[str, Any]:
        return {"username": getpass.getuser(), "key_filename": self.key_file, "look_for_keys": False, "allow_agent": False}

    def new_prefix(self) -> str:
        """A URL of a folder that no other test uses."""
        return f"sftp://127.0.0.1:{self.port}{self.folder}/{secrets.token_hex(6)}"


@contextmanager
def sshd() -> Iterator[SftpServer]:
    """An sshd that knows this user by a key, and serves SFTP."""
    program, keygen = need_program("sshd", INSTALL), need_program("ssh-keygen", INSTALL)
    need_module("paramiko", "pip install paramiko")
    sftp = next((place for place in SERVERS if Path(place).exists()), None) or need("sftp-server", INSTALL)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd gives up its rights in there
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="flowreg-sshd-") as home:
        for name in ("host", "user"):
            subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", f"{home}/{name}"], check=True)
        Path(home, "files").mkdir()
        config = Path(home, "sshd_config")
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nAuthorizedKeysFile {home}/user.pub\nPidFile none\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
            f"MaxStartups 200:30:400\nSubsystem sftp {sftp}\n"
        )
        command = [program, "-D", "-e", "-f", str(config)]
        with running(command, folder=Path(home), env={}, ready=lambda: listens(port), timeout_s=30):
            yield SftpServer(port, f"{home}/user", f"{home}/files")
