"""Databases: a laboratory's and a radiology's, in clear for an old application, protected for its successor."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from _services import (
    APP1,
    APP2,
    OFTEN,
    acting_as,
    authority,
    certificate,
    fqdn,
    own,
    owned,
    virtual,
    weekly,
    without_proof,
)
from _software import debian
from _story import opening, scene
from _truth import identity, must, must_not

if TYPE_CHECKING:
    from _fleet import Machine
    from _story import Hospital

BIN = "/usr/lib/postgresql/15/bin"
POSTGRESQL = debian("PostgreSQL", "postgresql-15", f"{BIN}/postgres")
MARIADB = debian("MariaDB", "mariadb-server", "mariadbd")
MARIADB_CLIENT = debian("MariaDB client", "mariadb-client", "mariadb")
REDIS = debian("Redis", "redis-server", "redis-server")
REDIS_CLIENT = debian("Redis client", "redis-tools", "redis-cli")
PG_PORT, MYSQL_PORT, REDIS_PORT = 5432, 3306, 6379

LIS_DB = virtual("lis-db", 70, "postgresql", "database server", "database server")
PG_MAIN = virtual("pg-main", 71, "postgresql", "database server", "database server")
RIS_DB = virtual("ris-db", 72, "mysql", "database server", "database server")
CACHE = virtual("cache1", 88, "redis", "database server", "database server")

ORDERS = """\
CREATE TABLE orders (number integer, test text, state text);
INSERT INTO orders VALUES (700101, 'NA', 'done'), (700102, 'CREA', 'open'), (700103, 'HB', 'open');
GRANT SELECT, INSERT, UPDATE ON orders TO PUBLIC;
"""
WORK = "SELECT number, test FROM orders WHERE state = 'open'"


# ------------------------------------------------------------------ PostgreSQL


def postgresql(hospital: Hospital, machine: Machine, roles: str, access: str, *options: str) -> None:
    """Start PostgreSQL in a folder of its own: ``roles`` is SQL, ``access`` its pg_hba.conf."""
    host, folder = hospital.host(machine), own(hospital.folder(machine.name), "postgres")
    data = str(folder / "data")
    settings = ["--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8"]
    hospital.tool(acting_as("postgres", f"{BIN}/initdb", "-D", data, *settings))
    setup = "\n".join(" ".join(line.split()) for line in (roles + ORDERS).splitlines()).encode()
    hospital.tool(acting_as("postgres", f"{BIN}/postgres", "--single", "-D", data, "postgres"), setup)
    (folder / "data/pg_hba.conf").write_text(access)
    said = [
        f"listen_addresses={host.ip}",
        f"unix_socket_directories={folder}",
        "fsync=off",
        "shared_buffers=16MB",
        *options,
    ]
    argv = [f"{BIN}/postgres", "-D", data, *(x for one in said for x in ("-c", one))]
    hospital.serve(host, acting_as("postgres", *argv), PG_PORT)


def role(name: str, secret: str, encryption: str = "scram-sha-256") -> str:
    """Return SQL that makes an account."""
    return f"SET password_encryption = '{encryption}';\nCREATE ROLE {name} LOGIN PASSWORD '{secret}';\n"


@opening(POSTGRESQL, order=32)
def laboratory_database(hospital: Hospital) -> None:
    """The old one: whoever is asked for a password sends it in clear, or hashed with MD5."""
    secret = hospital.canaries.token
    roles = role("lisapp", secret("lisapp", 14)) + role("labstats", secret("labstats", 14), "md5")
    roles += role("svc_results", secret("svc_results", 16))
    access = [("lisapp", "password"), ("labstats", "md5"), ("svc_results", "scram-sha-256")]
    postgresql(hospital, LIS_DB, roles, "".join(f"host all {who} 10.21.0.0/16 {how}\n" for who, how in access))


@opening(POSTGRESQL, order=32)
def main_database(hospital: Hospital) -> None:
    """The well-kept one: TLS and SCRAM, nothing else."""
    folder = own(hospital.folder("pg-main-tls"), "postgres")
    its = certificate(hospital, PG_MAIN)
    cert, key = owned(folder, "postgres", its.cert, its.key)
    options = ["ssl=on", f"ssl_cert_file={cert}", f"ssl_key_file={key}", "ssl_min_protocol_version=TLSv1.2"]
    roles = role("risapp2", hospital.canaries.token("risapp2", 20))
    postgresql(hospital, PG_MAIN, roles, "hostssl all all 10.21.0.0/16 scram-sha-256\n", *options)


PSYCOPG = """\
import sys, psycopg
where, secret, query = sys.argv[1:]
with psycopg.connect(where, password=secret, connect_timeout=10) as connection:
    connection.execute(query).fetchall()
"""


@scene("the laboratory application asks its database", POSTGRESQL, days=[0, 60], again=OFTEN, at="07:35")
def laboratory_application(hospital: Hospital) -> None:
    """Its libpq is told not to try TLS, and the server asks for the password in clear."""
    where = f"host={LIS_DB.ip} user=lisapp dbname=postgres sslmode=disable application_name=lis"
    secret = hospital.canaries.token("lisapp", 14)
    done = "UPDATE orders SET state = 'open' WHERE number = 700102"
    argv = ["psql", "-X", "-q", "-A", "-t", where, "-c", WORK, "-c", done]
    hospital.run(hospital.host(APP1), argv, env={"PGPASSWORD": secret})


@scene("statistics of the laboratory", POSTGRESQL, "psycopg", days=[1], again=weekly(8), at="05:10")
def laboratory_statistics(hospital: Hospital) -> None:
    """It would take TLS, the server has none; the password goes as MD5."""
    where = f"host={fqdn(LIS_DB)} user=labstats dbname=postgres sslmode=prefer"
    secret = hospital.canaries.token("labstats", 14)
    hospital.run(hospital.host(APP1), [sys.executable, "-c", PSYCOPG, where, secret, "SELECT count(*) FROM orders"])


@scene("results are fetched for the web interface", POSTGRESQL, "psycopg", days=[2], again=weekly(9), at="05:20")
def results_by_scram(hospital: Hospital) -> None:
    """The account whose password HTTP shows (``web.results_by_basic``) proves it here by SCRAM."""
    where = f"host={LIS_DB.ip} user=svc_results dbname=postgres sslmode=disable"
    secret = hospital.canaries.token("svc_results", 16)
    hospital.run(hospital.host(APP1), [sys.executable, "-c", PSYCOPG, where, secret, WORK])


@scene(
    "the new application asks its database over TLS", POSTGRESQL, "psycopg", days=[0], again=weekly(5, 2), at="07:36"
)
def new_application(hospital: Hospital) -> None:
    """TLS 1.3 with the server's certificate checked, then SCRAM."""
    root = authority(hospital).root.cert
    where = f"host={fqdn(PG_MAIN)} user=risapp2 dbname=postgres sslmode=verify-full sslrootcert={root}"
    secret = hospital.canaries.token("risapp2", 20)
    hospital.run(hospital.host(APP2), [sys.executable, "-c", PSYCOPG, where, secret, WORK])


# ------------------------------------------------------------------ MariaDB

MY_CNF = """\
[mariadbd]
datadir={folder}/data
socket={folder}/sock
pid-file={folder}/pid
bind-address={ip}
skip-name-resolve
innodb-flush-log-at-trx-commit=0
innodb-buffer-pool-size=16M
performance-schema=off
init-file={folder}/init.sql
ssl-cert={cert}
ssl-key={key}
ssl-ca={root}
"""
MY_SQL = """\
CREATE DATABASE ris;
CREATE USER risapp@'10.21.%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{old}');
CREATE USER risreport@'10.21.%' IDENTIFIED BY '{new}' REQUIRE SSL;
CREATE TABLE ris.orders (number integer, test text, state text);
INSERT INTO ris.orders VALUES (810001, 'CT', 'done'), (810002, 'MR', 'open');
GRANT SELECT, INSERT, UPDATE ON ris.* TO risapp@'10.21.%', risreport@'10.21.%';
"""
PYMYSQL = """\
import sys, pymysql
host, user, secret, root, query = sys.argv[1:]
tls = {"ssl_ca": root, "ssl_verify_cert": True, "ssl_verify_identity": True} if root else {"ssl_disabled": True}
with pymysql.connect(host=host, user=user, password=secret, database="ris", **tls) as connection:
    connection.cursor().execute(query)
"""


@opening(MARIADB, order=32)
def radiology_database(hospital: Hospital) -> None:
    """It has TLS, and asks for it from one of its two accounts only."""
    host, folder = hospital.host(RIS_DB), own(hospital.folder("ris-db"), "mysql")
    its, secret = certificate(hospital, RIS_DB), hospital.canaries.token
    cert, key, root = owned(folder, "mysql", its.cert, its.key, authority(hospital).root.cert)
    (folder / "init.sql").write_text(MY_SQL.format(old=secret("risapp", 14), new=secret("risreport", 20)))
    config = folder / "my.cnf"
    config.write_text(MY_CNF.format(folder=folder, ip=host.ip, cert=cert, key=key, root=root))
    made = ["--user=mysql", f"--datadir={folder}/data", "--auth-root-authentication-method=normal", "--skip-test-db"]
    hospital.tool(["mariadb-install-db", "--no-defaults", *made])
    hospital.serve(host, ["mariadbd", f"--defaults-file={config}", "--user=mysql"], MYSQL_PORT)


@scene("the radiology system asks its database", MARIADB, MARIADB_CLIENT, days=[0, 61], again=OFTEN, at="07:40")
def radiology_application(hospital: Hospital) -> None:
    """By MariaDB's own client, without TLS."""
    where = ["-h", RIS_DB.ip, "-u", "risapp", "--skip-ssl", "ris", "-N"]
    argv = ["mariadb", "--no-defaults", *where, "-e", "SELECT number FROM orders WHERE state = 'open'"]
    hospital.run(hospital.host(APP1), argv, env={"MYSQL_PWD": hospital.canaries.token("risapp", 14)})


@scene("a report over TLS", MARIADB, "pymysql", days=[1], again=weekly(1, 2), at="04:30")
def radiology_report(hospital: Hospital) -> None:
    """By another library, which checks the server's certificate."""
    root = str(authority(hospital).root.cert)
    secret = hospital.canaries.token("risreport", 20)
    argv = [sys.executable, "-c", PYMYSQL, fqdn(RIS_DB), "risreport", secret, root, "SELECT count(*) FROM orders"]
    hospital.run(hospital.host(APP2), argv)


# ------------------------------------------------------------------ Redis


@opening(REDIS, order=32)
def cache(hospital: Hospital) -> None:
    """Redis as it comes, except that it listens to the network."""
    host, folder = hospital.host(CACHE), hospital.folder("cache1")
    options = ["--bind", host.ip, "--protected-mode", "no", "--save", "", "--dir", str(folder), "--daemonize", "no"]
    hospital.serve(host, ["redis-server", *options], REDIS_PORT)


@scene("the laboratory application keeps a session in the cache", REDIS_CLIENT, days=[0], again=OFTEN, at="07:41")
def session_in_cache(hospital: Hospital) -> None:
    """Nobody asks it who it is."""
    for command in (["SET", "session:4711", "invented", "EX", "3600"], ["GET", "session:4711"]):
        hospital.run(hospital.host(APP1), ["redis-cli", "-h", CACHE.ip, *command])


# ------------------------------------------------------------------ the truth

identity("database-account", "lisapp", "postgresql", users=("lis-app1",), peers=("lis-db",))
identity("database-account", "labstats", "postgresql", users=("lis-app1",), peers=("lis-db",))
identity("database-account", "svc_results", "postgresql", users=("lis-app1",), peers=("lis-db",))
identity("database-account", "risapp", "mysql", users=("lis-app1",), peers=("ris-db",))

must("PG-001", "postgresql", device="lis-app1", identity="lisapp", why="password in clear")
must("PG-001", "postgresql", device="lis-app1", identity="labstats", first_day=1, why="MD5 without TLS")
must("MYSQL-001", "mysql", device="lis-app1", identity="risapp", why="native password without TLS")
must("REDIS-001", "redis", device="cache1", why="answers without AUTH")
must_not("PG-001", "SCRAM over TLS", device="ris-app2")
must_not("MYSQL-001", "TLS before the password", device="ris-app2")
must_not("ID-008", "all that it says is encrypted", device="ris-app2")
must_not("ID-008", "TLS 1.3 hides its certificate", device="pg-main")
must_not("TLS-007", "PostgreSQL and MariaDB begin in clear on their own ports and then speak TLS", device="pg-main")
without_proof("postgresql", LIS_DB)
without_proof("mysql", RIS_DB)
without_proof("redis", CACHE)
