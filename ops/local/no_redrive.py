"""Answers RedriveExecution with an error of Step Functions, because the embedded AWS does not
support it."""

import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TARGET = "AWSStepFunctions.RedriveExecution"
_ERROR = {
    "__type": "UnsupportedOperationException",
    "message": "The embedded AWS has no RedriveExecution. Start a new execution with the input "
    '{"run_id": "<the failed run>"}: it resumes from the same logs.',
}


def redrive_refused(application: WSGIApplication) -> WSGIApplication:
    """A layer around the embedded cloud's server."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET") != _TARGET:
            return application(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
        return [json.dumps(_ERROR).encode()]

    return answer
