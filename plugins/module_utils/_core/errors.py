# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, under stable codes.

Everything below the module layer raises SlipwayError and nothing else on purpose. The functions that call AWS wear
`aws_call` or, where "it is not there" is an answer and not a failure, `aws_find`.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import re
import typing as t

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
    from botocore.parsers import ResponseParserError

from .error_codes import (
    ACCESS_DENIED,
    AWS_ERROR,
    BAD_ANSWER,
    CONFLICT,
    INVALID_OPTION,
    LIMIT_EXCEEDED,
    NO_CONNECTION,
    NO_CREDENTIALS,
    NOT_FOUND,
    REFUSED,
    THROTTLED,
)

P = t.ParamSpec("P")
R = t.TypeVar("R")

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden", "BlockedException"}
_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    # EC2 calls expired credentials so.
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
# As botocore knows them, and repeats the call.
THROTTLING = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_CONFLICT = {
    "ConcurrentUpdateException",
    "ConflictException",
    "DuplicateRequest",
    "DuplicateTargetGroupName",
    "PriorityInUse",
    "ResourceContention",
    "ResourceExistsException",
    "ResourceInUse",
    "ResourceInUseException",
    "ScalingActivityInProgress",
    # Another write of the same parameter is in progress.
    "TooManyUpdates",
    "UpdateInProgressException",
}
_EXISTS = ("AlreadyExists", "AlreadyExistsException", "AlreadyExistsFault", "NotEmptyException")
_REFUSED = {"ClientException", "InvalidParameterException", "ValidationException", "ValidationError"}
# SQS has two codes for a queue that does not exist: one of each of its protocols.
_NOT_FOUND = ("NotFoundException", "NotFound", "NonExistentQueue", "QueueDoesNotExist")
# What has no code of its own: of ECS, and of EC2 Auto Scaling.
_NOT_FOUND_MESSAGES = (
    "Unable to describe task definition",
    "The specified task definition does not exist",
    "AutoScalingGroup name not found",
)
_NO_PROVIDER = re.compile(r"(?i)capacity provider .*(not found|does not exist)")
_EXISTS_MESSAGE = re.compile(r"(?i)capacity provider .*already exists")

# Prefixes of calls that change nothing, and how often such a call is retried after an unreadable answer.
READS = ("BatchGet", "Describe", "Filter", "Get", "List", "Lookup", "Simulate")
REREADS = 2


@dataclasses.dataclass
class Call:
    """The current or last API call of this thread, recorded by `calls`.

    `lost`: an attempt reached AWS, perhaps, and had no answer. What a later attempt finds may be the work of this one.
    `started`: when the call began, and `due` when a line is to say that it still waits, on the monotonic clock.
    """

    operation: str = ""
    lost: bool = False
    stalled: int = 0
    started: float = 0.0
    due: float = 0.0


CALL: contextvars.ContextVar[Call] = contextvars.ContextVar("CALL")


class SlipwayError(Exception):
    """A failure that a person can act on: a stable `code`, a sentence, and details as plain data.

    `lost`: of the call's attempts, one before the last had no answer.
    """

    def __init__(self, code: str, msg: str, details: t.Mapping[str, t.Any] | None = None) -> None:
        super().__init__(msg)
        self.code = code
        self.msg = msg
        self.details = dict(details or {})
        self.lost = False

    def result(self) -> dict[str, t.Any]:
        """The arguments of fail_json."""
        return {**self.details, "code": self.code, "msg": self.msg}


def _is_nothing(message: str) -> bool:
    return any(text in message for text in _NOT_FOUND_MESSAGES) or bool(_NO_PROVIDER.search(message))


def code_of(error_code: str, message: str) -> str:
    """Our code for one of AWS's error codes."""
    if error_code in _DENIED:
        return ACCESS_DENIED
    if error_code in _CREDENTIALS:
        return NO_CREDENTIALS
    if error_code in THROTTLING:
        return THROTTLED
    if error_code.endswith(_NOT_FOUND) or _is_nothing(message):
        return NOT_FOUND
    if error_code in _CONFLICT or error_code.endswith(_EXISTS) or _EXISTS_MESSAGE.search(message):
        return CONFLICT
    if error_code.startswith(("LimitExceeded", "ServiceQuotaExceeded")):
        return LIMIT_EXCEEDED
    return REFUSED if error_code in _REFUSED else AWS_ERROR


def translate(error: Exception) -> SlipwayError:
    """Turn what botocore raised into a SlipwayError."""
    if isinstance(error, ClientError):
        return _translate_answer(error)
    if isinstance(error, ParamValidationError):
        # botocore shows values of a wrong type, which may be secrets.
        return SlipwayError(INVALID_OPTION, re.sub(r", value: .*?, type: ", ", type: ", str(error), flags=re.DOTALL))
    name = type(error).__name__
    if name == "ResponseParserError":
        return bad_answer(CALL.get(Call()).operation or "AWS", "an answer of its protocol", str(error).splitlines()[0])
    if "Credential" in name or name in ("ProfileNotFound", "TokenRetrievalError", "UnauthorizedSSOTokenError"):
        return SlipwayError(NO_CREDENTIALS, f"No usable AWS credentials: {error}")
    if name.endswith(("ConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError")):
        return SlipwayError(NO_CONNECTION, f"AWS cannot be reached: {error}")
    return SlipwayError(AWS_ERROR, f"{name}: {error}")


def _translate_answer(error: ClientError) -> SlipwayError:
    answer = error.response.get("Error", {})
    error_code, message = answer.get("Code", ""), answer.get("Message", "")
    operation = error.operation_name
    return SlipwayError(
        code_of(error_code, message),
        f"AWS answered {operation} with {error_code}: {message}",
        {
            "operation": operation,
            "error_code": error_code,
            "request_id": error.response.get("ResponseMetadata", {}).get("RequestId", ""),
        },
    )


def answer_was_lost() -> bool:
    """Whether an attempt at this thread's last call had no answer."""
    return CALL.get(Call()).lost


def bad_answer(operation: str, expected: str, got: str) -> SlipwayError:
    """For an answer that cannot be read, or lacks what was asked for."""
    message = f"{operation}: expected {expected}, got {got}. Check the proxies between this host and AWS, then rerun."
    return SlipwayError(BAD_ANSWER, message, {"operation": operation})


def aws_call(function: t.Callable[P, R]) -> t.Callable[P, R]:
    """For a function that makes one API call: botocore's errors become SlipwayError.

    Members that AWS always sends are read by their index. A read with an unusable answer is retried.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for left in reversed(range(REREADS + 1)):
            try:
                return _called(function, *args, **kwargs)
            except SlipwayError as error:
                operation = str(error.details.get("operation", ""))
                if error.code != BAD_ANSWER or not left or not operation.startswith(READS):
                    raise
        raise AssertionError("unreachable")

    return wrapper


def _called(function: t.Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return function(*args, **kwargs)
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        failure = translate(error)
        failure.lost = answer_was_lost()
        raise failure from error
    except (AttributeError, LookupError, TypeError) as error:
        # Raised when an answer is not what AWS documents, by botocore's parser or by our functions.
        operation = CALL.get(Call()).operation or function.__name__
        missing = f"without {error}" if isinstance(error, KeyError) else f"with which it fails: {error}"
        raise bad_answer(operation, "all that AWS documents", f"an answer {missing}") from error


def aws_find(function: t.Callable[P, R]) -> t.Callable[P, R | None]:
    """Like aws_call, but "not found" is the answer None. Access denied stays a failure."""
    call = aws_call(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return call(*args, **kwargs)
        except SlipwayError as error:
            if error.code == NOT_FOUND:
                return None
            raise

    return wrapper


def aws_delete(function: t.Callable[P, object]) -> t.Callable[P, bool]:
    """Like aws_call. Whether this call deleted it: also where the next attempt, after a lost answer, finds nothing."""
    call = aws_call(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> bool:
        try:
            call(*args, **kwargs)
        except SlipwayError as error:
            if error.code != NOT_FOUND:
                raise
            return error.lost
        return True

    return wrapper
