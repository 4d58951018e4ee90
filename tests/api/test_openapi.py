"""A fuzzer that reads the OpenAPI document cannot break the API: every answer is as documented, none is a 5xx."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.stores import client_of, empty_store, fill

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def app():
    connection = empty_store()
    fill(connection)
    return client_of(connection).app


schema = schemathesis.pytest.from_fixture("described")


@pytest.fixture
def described(app):
    return schemathesis.openapi.from_asgi("/openapi.json", app, headers={"Host": "localhost"})


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_operation_answers_as_documented(case) -> None:
    case.call_and_validate(headers={"Host": "localhost"}, checks=CHECKS)
