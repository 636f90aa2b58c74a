"""Where the emulated functions' failures go."""

import hashlib
import json
import time
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import new_uuid
from ministack.services import lambda_svc, s3, sqs


def send(target: str, message: Any) -> None:
    """Put a message into the queue or bucket that the ARN `target` names."""
    body = json.dumps(message)
    arn = parse_arn(target)
    if arn.service == "s3":
        key = f"aws/lambda/{new_uuid()}"
        s3._put_object(arn.resource, key, body.encode(), {"content-length": str(len(body))})
    elif (queue := sqs._queue_by_arn(target)) is not None:
        now = time.time()
        entry = {
            "id": new_uuid(),
            "body": body,
            "md5": hashlib.md5(body.encode()).hexdigest(),
            "receipt_handle": None,
            "sent_at": now,
            "visible_at": now + sqs.queue_delay(queue),
            "receive_count": 0,
        }
        sqs._ensure_msg_fields(entry)
        queue["messages"].append(entry)
        lambda_svc._esm_wake.set()
