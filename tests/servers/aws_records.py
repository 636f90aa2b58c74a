"""Reads streams and queues of the tests' cloud without the adapters."""

from collections.abc import Sequence

from tests.servers.aws import aws_client


def records_of(stream: str) -> Sequence[tuple[str, bytes]]:
    """Return the records of a stream, shard by shard, parents before children."""
    kinesis = aws_client("kinesis")
    found = []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        place = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while place:
            page = kinesis.get_records(ShardIterator=place)
            found += [(record["PartitionKey"], record["Data"]) for record in page["Records"]]
            place = page.get("NextShardIterator") if page["Records"] else None
    return found


def messages_of(queue: str) -> Sequence[str]:
    """What a queue holds, which is taken out of it."""
    sqs = aws_client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = []
    while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in some:
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
