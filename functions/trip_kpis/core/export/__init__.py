"""DynamoDB's exports to S3: their manifests, their files, and the pages in them."""
