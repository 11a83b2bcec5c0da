"""A run: storage, manifest, execution, history, progress, rejections, comparison."""
