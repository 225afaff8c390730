"""A real S3 server (moto's) on the loopback address, with the files of a folder in bucket `crawls`: prints its address, and ends with its input."""
import sys
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
address = f"http://{host}:{port}"
s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
s3.create_bucket(Bucket="crawls")
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
for file in sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_file()):
    s3.upload_file(str(file), "crawls", f"2026/{file.name}", Config=parts)
print(address, flush=True)
sys.stdin.read()
server.stop()
