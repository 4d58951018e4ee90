"""A fuzzer that reads the OpenAPI document cannot break the API: every answer is as documented, none is a 5xx."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.stores import client_of, empty_store, fill

HOST = {"Host": "localhost"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]

connection = empty_store()
fill(connection)
schema = schemathesis.openapi.from_asgi("/openapi.json", client_of(connection).app, headers=HOST)


@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_every_operation_answers_as_documented(case) -> None:
    # No schema can say which strings are cursors: all others are refused, as they should be.
    accepted = [] if "cursor" in (case.query or {}) else [positive_data_acceptance]
    case.call_and_validate(headers=HOST, checks=[*CHECKS, *accepted])
