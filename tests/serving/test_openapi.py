"""What the service says of itself is what it does: generated requests, and generated clients."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as trying
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from vitrine.serving.api import create_app
from vitrine.serving.settings import Settings

EXAMPLES = 8
"""Requests generated for each route."""
CHECKS = [
    not_a_server_error, content_type_conformance, response_headers_conformance,
    response_schema_conformance, status_code_conformance, unsupported_method,
]  # fmt: skip
"""Whether a valid request is accepted is not among them: random bytes are no image."""


def operations(app):
    """Return every operation of the document, by its name."""
    found = (
        each.ok()
        for each in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations()
    )
    return {each.definition.raw["operationId"]: each for each in found}


def test_each_answer_to_a_generated_request_is_one_that_is_documented(settings):
    asked = operations(create_app(settings))  # its own: each request starts it, then stops it

    for operation in asked.values():

        @given(operation.as_strategy())
        @trying(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def each_is_documented(case):
            if "name" in case.path_parameters:  # else no model has the generated one
                case.path_parameters["name"] = "mambavision"
            case.call_and_validate(checks=CHECKS)

        each_is_documented()

    assert len(asked) > 15


def test_a_generated_client_gets_a_name_for_each_operation_and_no_two_alike(client):
    document = client.get("/openapi.json").json()
    found = [o["operationId"] for path in document["paths"].values() for o in path.values()]

    assert len(set(found)) == len(found) > 15
    assert all(name.isidentifier() and name.islower() for name in found)
    assert {"predict", "explain", "predict_batch", "infer", "model_metadata"} <= set(found)


def test_every_refusal_of_a_route_that_receives_images_is_described_as_a_problem(client):
    document = client.get("/openapi.json").json()

    for path in ("/api/v1/predict", "/api/v1/predict/batch", "/v2/models/{name}/infer"):
        told = document["paths"][path]["post"]["responses"]
        statuses = {"400", "401", "408", "413", "415", "422", "500", "503", "504"}
        assert statuses <= told.keys()
        for status in statuses:
            assert list(told[status]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in client.get("/openapi.json").text


def test_bodies_are_described_as_they_are(client):
    paths = client.get("/openapi.json").json()["paths"]

    photo = paths["/api/v1/predict"]["post"]["requestBody"]["content"]
    photos = {"image/jpeg", "image/png", "image/webp"}
    assert set(photo) == {"multipart/form-data", *photos}
    batch = paths["/api/v1/predict/batch"]["post"]["requestBody"]["content"]
    assert set(batch) == {"multipart/form-data"}
    infer = paths["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    assert set(infer) == {"application/json", "application/octet-stream", *photos}
    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]
    assert "security" not in paths["/healthz"]["get"]


@pytest.mark.parametrize("key", ["", "sesame"])
def test_the_key_may_be_left_out_where_none_is_asked_for(model_dir, key):
    app = create_app(Settings(model_dir=str(model_dir), workers=1, api_key=key))

    told = app.openapi()["paths"]["/api/v1/predict"]["post"]["security"]

    assert [each for each in told if each] == [{"APIKeyHeader": []}, {"HTTPBearer": []}]
    assert ({} in told) is (key == "")
