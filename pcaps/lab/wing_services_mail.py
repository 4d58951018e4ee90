"""Mail: Postfix and Dovecot, used by an old device in clear and by well-kept clients over TLS."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from _estate import DOMAIN
from _fleet import Machine
from _net import START_TIMEOUT_S, LabError
from _services import (
    APP2,
    PORTAL_PC,
    authority,
    calling_itself,
    certificate,
    encoded,
    fqdn,
    own,
    virtual,
    weekly,
    without_proof,
)
from _software import debian
from _story import opening, scene
from _truth import device, identity, must, must_not

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _story import Hospital

POSTFIX = debian("Postfix", "postfix", "postfix")
DOVECOT = debian("Dovecot", "dovecot-imapd", "/usr/lib/dovecot/imap")
DOVECOT_POP3 = debian("Dovecot POP3", "dovecot-pop3d", "/usr/lib/dovecot/pop3")
SWAKS = debian("swaks", "swaks", "swaks")
SMTP, POP3, IMAPS, SUBMISSION = 25, 110, 993, 587

MAIL = virtual("mail1", 73, "smtp", "mail server", "mail server")
ALERTER = device(Machine("freezer-alarm1", "00:80:a3:44:04:e6", "10.21.4.230"), vendor="Lantronix")
OLD_PC = device(Machine("lab-pc3", "8c:ec:4b:44:05:47", "10.21.5.71"), vendor="Dell Inc.")
FAX = device(Machine("fax-gw1", "00:1e:8f:44:05:49", "10.21.5.73"), vendor="Canon Inc.")

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = {name}
mydomain = {domain}
inet_interfaces = {ip}
inet_protocols = ipv4
mydestination =
mynetworks =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/boxes
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:8
virtual_gid_maps = static:8
virtual_minimum_uid = 1
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:12345
smtpd_sasl_auth_enable = yes
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
"""
MASTER_CF = """\
smtp       inet  n - n - - smtpd
submission inet  n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_auth_only=yes
cleanup    unix  n - n - 0 cleanup
qmgr       unix  n - n 300 1 qmgr
tlsmgr     unix  - - n 1000? 1 tlsmgr
rewrite    unix  - - n - - trivial-rewrite
bounce     unix  - - n - 0 bounce
defer      unix  - - n - 0 bounce
anvil      unix  - - n - 1 anvil
virtual    unix  - n n - - virtual
proxymap   unix  - - n - - proxymap
postlog    unix-dgram n - n - 1 postlogd
"""
DOVECOT_CONF = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = {ip}
protocols = imap pop3
mail_location = maildir:{folder}/boxes/all
mail_uid = mail
mail_gid = mail
first_valid_uid = 8
disable_plaintext_auth = no
auth_mechanisms = plain login
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/boxes
}}
service auth {{
  inet_listener {{
    address = 127.0.0.1
    port = 12345
  }}
}}
service imap-login {{
  chroot =
}}
service pop3-login {{
  chroot =
}}
"""


@dataclass(frozen=True)
class MailServer:
    """What clients must know of it: where its mail lies, and the passwords of its accounts."""

    boxes: Path
    secrets: dict[str, str]

    @contextlib.contextmanager
    def delivering(self) -> Iterator[None]:
        """Wait after the block until one more message lies in the box. Raises LabError when none comes."""
        before = self._count()
        yield
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._count() == before:
            if time.monotonic() > deadline:
                raise LabError("mail was taken and not delivered")
            time.sleep(0.02)

    def _count(self) -> int:
        return sum(1 for kind in ("new", "cur") for _ in (self.boxes / "all" / kind).glob("*"))


@opening(POSTFIX, DOVECOT, DOVECOT_POP3, order=33)
def mail_server(hospital: Hospital) -> None:
    """One server for all: SMTP and POP3 also take passwords in clear, as the oldest client needs it."""
    host, folder = hospital.host(MAIL), hospital.folder("mail1")
    folder.chmod(0o755)
    accounts = ("freezer-alarm1", "results", "lab", "faxgate")
    secrets = {account: hospital.canaries.token(f"mail {account}", 16) for account in accounts}
    (folder / "users").write_text("".join(f"{name}:{secret}\n" for name, secret in secrets.items()))
    boxes = folder / "boxes"
    boxes.mkdir()
    own(boxes, "mail")
    its = certificate(hospital, MAIL)
    filled = {"folder": folder, "name": fqdn(MAIL), "domain": DOMAIN, "ip": host.ip, "cert": its.cert, "key": its.key}
    (folder / "dovecot.conf").write_text(DOVECOT_CONF.format(**filled))
    hospital.serve(host, ["dovecot", "-F", "-c", str(folder / "dovecot.conf")], POP3)
    _postfix(hospital, folder, filled)
    hospital.share(MailServer(boxes, secrets))


def _postfix(hospital: Hospital, folder: Path, filled: dict[str, object]) -> None:
    (folder / "main.cf").write_text(MAIN_CF.format(**filled))
    (folder / "master.cf").write_text(MASTER_CF)
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    own(folder / "data", "postfix")
    hospital.run(hospital.host(MAIL), ["postfix", "-c", str(folder), "check"])
    argv = calling_itself("mail1", "/usr/lib/postfix/sbin/master", "-c", str(folder), "-d")
    hospital.serve(hospital.host(MAIL), argv, SMTP)


# ------------------------------------------------------------------ who writes


@scene("a freezer's alarm box mails that the door is open", SWAKS, POSTFIX, days=[3], again=weekly(3, 2), at="03:12")
def alarm_by_mail(hospital: Hospital) -> None:
    """AUTH PLAIN in clear on port 25: the box knows no TLS."""
    known = hospital.find(MailServer)
    who = ["--from", f"freezer-alarm1@{DOMAIN}", "--to", f"lab@{DOMAIN}", "--ehlo", "freezer-alarm1"]
    proof = ["--auth", "PLAIN", "--auth-user", "freezer-alarm1", "--auth-password", known.secrets["freezer-alarm1"]]
    encoded(hospital, f"\0freezer-alarm1\0{known.secrets['freezer-alarm1']}")
    text = ["--header", "Subject: ALARM door open", "--body", "Freezer 1: door open for 120 s"]
    there = ["--server", MAIL.ip, "--hide-all"]
    with known.delivering():
        hospital.run(hospital.host(ALERTER), calling_itself("freezer-alarm1", "swaks", *there, *who, *proof, *text))


SUBMIT = """\
import smtplib, ssl, sys
from email.message import EmailMessage
host, user, secret, root, domain = sys.argv[1:]
message = EmailMessage()
message["From"], message["To"], message["Subject"] = f"{user}@{domain}", f"lab@{domain}", "Results are ready"
message.set_content("invented")
with smtplib.SMTP(host, 587, local_hostname="ris-app2." + domain) as server:
    server.starttls(context=ssl.create_default_context(cafile=root))
    server.login(user, secret)
    server.send_message(message)
"""
FETCH = """\
import poplib, sys
host, user, secret = sys.argv[1:]
box = poplib.POP3(host)
box.user(user)
box.pass_(secret)
for number in range(1, min(box.stat()[0], 2) + 1):
    box.retr(number)
box.quit()
"""
LOOK = """\
import imaplib, sys
host, user, secret = sys.argv[1:]
box = imaplib.IMAP4(host)
box.login(user, secret)
box.select(readonly=True)
box.logout()
"""
READ = """\
import imaplib, ssl, sys
host, user, secret, root = sys.argv[1:]
box = imaplib.IMAP4_SSL(host, ssl_context=ssl.create_default_context(cafile=root))
box.login(user, secret)
box.select(readonly=True)
box.logout()
"""


@scene("the new application sends mail", POSTFIX, days=[1], again=weekly(1, 2), at="06:05")
def submission(hospital: Hospital) -> None:
    """Submission with STARTTLS, the server's certificate checked."""
    known, root = hospital.find(MailServer), str(authority(hospital).root.cert)
    argv = [sys.executable, "-c", SUBMIT, fqdn(MAIL), "results", known.secrets["results"], root, DOMAIN]
    with known.delivering():
        hospital.run(hospital.host(APP2), argv)


@scene("an old workstation fetches mail", DOVECOT_POP3, days=[5], again=weekly(5, 2), at="07:50")
def fetch_mail(hospital: Hospital) -> None:
    """POP3 with its password in clear."""
    secret = hospital.find(MailServer).secrets["lab"]
    hospital.run(hospital.host(OLD_PC), [sys.executable, "-c", FETCH, MAIL.ip, "lab", secret])


@scene("a fax gateway looks for mail", DOVECOT, days=[1], again=weekly(1, 2), at="05:05")
def look_for_mail(hospital: Hospital) -> None:
    """IMAP with its password in clear."""
    secret = hospital.find(MailServer).secrets["faxgate"]
    hospital.run(hospital.host(FAX), [sys.executable, "-c", LOOK, MAIL.ip, "faxgate", secret])


@scene("another workstation reads mail", DOVECOT, days=[2], again=weekly(2, 4), at="08:02")
def read_mail(hospital: Hospital) -> None:
    """IMAP inside TLS."""
    known, root = hospital.find(MailServer), str(authority(hospital).root.cert)
    argv = [sys.executable, "-c", READ, fqdn(MAIL), "lab", known.secrets["lab"], root]
    hospital.run(hospital.host(PORTAL_PC), argv)


# ------------------------------------------------------------------ the truth

identity("account", "freezer-alarm1", "smtp", users=("freezer-alarm1",), peers=("mail1",))
identity("account", "lab", "pop3", users=("lab-pc3",), peers=("mail1",), belongs_to="service")
identity("account", "faxgate", "imap", users=("fax-gw1",), peers=("mail1",))

must("MAIL-001", "imap", device="fax-gw1", identity="faxgate", first_day=1, why="IMAP login in clear")
must("MAIL-001", "smtp", device="freezer-alarm1", identity="freezer-alarm1", first_day=3, why="AUTH PLAIN in clear")
must("MAIL-001", "pop3", device="lab-pc3", identity="lab", first_day=5, why="POP3 login in clear")
must_not("MAIL-001", "STARTTLS comes before AUTH", device="ris-app2")
must_not("MAIL-001", "IMAP inside TLS", device="ward-pc7")
without_proof("smtp", MAIL, since=1)
