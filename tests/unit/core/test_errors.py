# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import (
    SlipwayError,
    aws_call,
    aws_find,
    code_of,
    translate,
)


def answer(code: str, message: str = "") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "r-1"}}
    return ClientError(response, "DescribeThing")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error_code", "message", "code"),
    [
        ("AccessDeniedException", "not authorized to describe", "access_denied"),
        ("AccessDeniedException", "Unable to describe task definition", "access_denied"),
        ("UnrecognizedClientException", "", "no_credentials"),
        ("RequestExpired", "Request has expired.", "no_credentials"),
        ("ThrottlingException", "Rate exceeded", "throttled"),
        ("RequestLimitExceeded", "Request limit exceeded.", "throttled"),
        ("RequestThrottledException", "", "throttled"),
        ("ThrottledException", "", "throttled"),
        ("ClusterNotFoundException", "", "not_found"),
        ("RepositoryPolicyNotFoundException", "", "not_found"),
        ("ClientException", "Unable to describe task definition.", "not_found"),
        ("ClientException", "Container.image should not be null", "refused"),
        ("UpdateInProgressException", "", "conflict"),
        ("RepositoryNotEmptyException", "", "conflict"),
        ("LimitExceededException", "", "limit_exceeded"),
        ("ServiceQuotaExceededException", "", "limit_exceeded"),
        ("ServerException", "", "aws_error"),
    ],
)
def test_codes(error_code: str, message: str, code: str) -> None:
    assert code_of(error_code, message) == code


def test_an_answer_keeps_what_support_needs() -> None:
    error = translate(answer("ClientException", "No such thing"))
    assert error.result() == {
        "code": "refused",
        "msg": "AWS answered DescribeThing with ClientException: No such thing",
        "operation": "DescribeThing",
        "error_code": "ClientException",
        "request_id": "r-1",
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoCredentialsError(), "no_credentials"),
        (EndpointConnectionError(endpoint_url="https://x"), "no_connection"),
        (ParamValidationError(report="x"), "invalid_option"),
        (NoRegionError(), "aws_error"),
    ],
)
def test_what_botocore_raises_by_itself(error: Exception, code: str) -> None:
    assert translate(error).code == code


def test_a_call_fails_with_our_error() -> None:
    @aws_call
    def call() -> None:
        raise answer("ServerException")

    with pytest.raises(SlipwayError) as raised:
        call()
    assert raised.value.code == "aws_error"


def test_not_found_is_an_answer_and_access_denied_is_not() -> None:
    @aws_find
    def find(code: str) -> str:
        raise answer(code)

    assert find("ClusterNotFoundException") is None
    with pytest.raises(SlipwayError) as raised:
        find("AccessDeniedException")
    assert raised.value.code == "access_denied"


def test_a_value_of_a_wrong_type_is_not_shown() -> None:
    report = "Invalid type for parameter a.value, value: {'hunter2':\n 1}, type: <class 'dict'>"
    error = translate(ParamValidationError(report=report))
    assert "a.value" in error.msg
    assert "hunter2" not in error.msg
