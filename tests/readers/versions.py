"""What a bucket with versions keeps: prints how many objects, earlier versions and marks of removal it has. With --make it makes the bucket first."""
import sys

import boto3

address, bucket = sys.argv[1:3]
s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
if "--make" in sys.argv:
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket))
versions = [version for page in pages for version in page.get("Versions", [])]
marks = [mark for page in pages for mark in page.get("DeleteMarkers", [])]
print(sum(version["IsLatest"] for version in versions), sum(not version["IsLatest"] for version in versions), len(marks))
