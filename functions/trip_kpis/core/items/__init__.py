"""DynamoDB JSON: attribute paths, numbers, times, rejections, and decoded pages."""
